import shlex
import subprocess
import sys

from signals_app.management.hints import manage_py
from tests.paths import ROOT


def test_a_printed_command_works_from_any_directory(tmp_path):
    done = subprocess.run(
        manage_py("stack", "--help"), shell=True, cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "--data-dir" in done.stdout


def test_a_data_directory_is_named_where_it_is_not_the_usual_one(tmp_path):
    python, manage = sys.executable, str(ROOT / "manage.py")
    place = tmp_path / "a place"
    assert shlex.split(manage_py("migrate", data_dir=place)) == [
        *(python, manage, "migrate", "--data-dir", str(place)),
    ]
    assert shlex.split(manage_py("migrate", data_dir=ROOT / "var")) == [python, manage, "migrate"]
