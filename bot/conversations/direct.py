"""The two statements of every turn, past the layers of SQLAlchemy: half of what they cost is the way there and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import TextClause
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.selectable import TextualSelect

from .database import Database


class Direct:
    """One statement for PostgreSQL that is a transaction by itself. Connections come from the engine's pool and go back to it.

    Documents come decoded, as on any connection of the engine; moments in the zone of the connection. Events of SQLAlchemy do not fire.
    """

    def __init__(self, database: Database, statement: TextClause | TextualSelect) -> None:
        self._database = database
        self._text = str(statement.compile(dialect=database.engine.dialect))

    async def __call__(self, parameters: Mapping[str, Any]) -> Sequence[Any]:
        """Runs it and returns its rows, with a name for each column. Raises DBAPIError, as SQLAlchemy does."""
        from psycopg import Error
        from psycopg.rows import namedtuple_row

        async with self._database.write_once() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            try:
                cursor = driver.cursor(row_factory=namedtuple_row)
                await cursor.execute(self._text, parameters)
                rows: Sequence[Any] = await cursor.fetchall()
                return rows
            except Error as error:
                if driver.closed:  # SQLAlchemy finds it out here, and does not trust the pool's other connections any more either
                    await connection.exec_driver_sql("SELECT 1")
                raise DBAPIError.instance(self._text, None, error, Error, hide_parameters=True) from error
