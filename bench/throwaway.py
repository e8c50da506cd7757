"""Django on a folder of its own, which goes away at the end: import this before anything of `tracker`.

The database is an SQLite file in that folder; with ``--postgresql`` it is a test database beside the one that
TEST_DATABASE_URL names.
"""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

import django

FOLDER = tempfile.mkdtemp(prefix="plumbline-bench-")
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
(Path(FOLDER) / "static").mkdir()
for name in ("DATABASE_URL", "CELERY_BROKER_URL"):
    os.environ.pop(name, None)
if "--postgresql" in sys.argv:
    sys.argv.remove("--postgresql")
    if "TEST_DATABASE_URL" not in os.environ:
        sys.exit("Name a PostgreSQL server's database in TEST_DATABASE_URL.")
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "tracker.settings",
    "PLUMBLINE_VAR": FOLDER,
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
django.setup()
