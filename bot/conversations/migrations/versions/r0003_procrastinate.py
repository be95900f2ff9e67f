"""The queue of the workers: procrastinate's tables, on PostgreSQL only, made to stay fast.

The tables are those of procrastinate 3.4 to 3.10, which are the same; its library brings them. A library with later tables needs a
revision of ours that applies its migrations from there on, and until then this one refuses to run.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.conversations.migrations import MigrationError

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NEWEST = "03.04.00_50_post_add_retry_failed_job_procedure.sql"
"""procrastinate's last migration that this revision knows."""

_STAY_FAST = """
-- With old statistics, and a queue's are always old, the planner walks the whole table at every fetch: ten times the work.
ALTER FUNCTION procrastinate_fetch_job_v2(character varying[], bigint)
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_bitmapscan = off;
-- "Does another job with this lock come first?" is asked at every fetch; the index procrastinate has for it begins with the id.
CREATE INDEX switchboard_jobs_lock_idx ON procrastinate_jobs (lock, priority DESC, id) WHERE status IN ('todo', 'doing');
ALTER TABLE procrastinate_jobs SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);
ALTER TABLE procrastinate_events SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);
ALTER TABLE procrastinate_workers SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01);
"""

_REMOVE = """
DO $$
DECLARE
    name regprocedure;
BEGIN
    FOR name IN
        SELECT p.oid::regprocedure FROM pg_proc AS p
        WHERE p.proname LIKE 'procrastinate\\_%' AND p.pronamespace = current_schema()::regnamespace
    LOOP
        EXECUTE 'DROP FUNCTION ' || name || ' CASCADE';  -- with its triggers
    END LOOP;
END;
$$;
DROP TABLE procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs, procrastinate_workers;
DROP TYPE procrastinate_job_to_defer_v1, procrastinate_job_event_type, procrastinate_job_status;
"""


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    if connection.execute(sa.text("SELECT to_regclass('procrastinate_jobs')")).scalar() is not None:
        advice = "give Switchboard a database, or a schema (search_path), of its own"
        raise MigrationError(f"the database has tables of procrastinate that are not ours: {advice} [queue-exists]")
    _run(connection, _schema())
    _run(connection, _STAY_FAST)


def downgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        _run(connection, _REMOVE)


def _schema() -> str:
    try:
        from procrastinate.schema import SchemaManager, migrations_path
    except ImportError as error:
        raise MigrationError("PostgreSQL needs procrastinate: pip install 'switchboard[postgres]' [no-procrastinate]") from error
    newest = max(path.name for path in migrations_path.glob("*.sql"))
    if newest != _NEWEST:
        advice = "pip install 'switchboard[postgres]' brings the one that fits"
        raise MigrationError(f"the installed procrastinate has tables of {newest}, not {_NEWEST}: {advice} [queue-version]")
    return SchemaManager.get_schema()


def _run(connection: sa.Connection, script: str) -> None:
    """Several statements at once, word for word: no parameters, so that `%` means nothing."""
    connection.exec_driver_sql(script, execution_options={"no_parameters": True})
