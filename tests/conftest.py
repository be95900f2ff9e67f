"""Settings and databases for every test. Property tests have no deadline: a loaded machine is no defect; and in CI the same examples are
tried each time."""

import os

from hypothesis import settings

from tests.databases import clock, database, engine, live, postgres, postgres_url

__all__ = ["clock", "database", "engine", "live", "postgres", "postgres_url"]

settings.register_profile("switchboard", deadline=None, derandomize=bool(os.environ.get("CI")), print_blob=True)
settings.load_profile("switchboard")
