"""Django's own commands with `--data-dir`, and what is printed where that is of no use."""

import re

import pytest

from goldtrader.management.django_commands import _without_data_dir
from goldtrader.stack import keys
from goldtrader.stack.data_dir import DataDir
from goldtrader.stack.servers import postgres
from tests.goldtrader.stack.commands import run_hint, run_python


@pytest.fixture
def data_dir(tmp_path):
    """A data directory whose database holds nothing yet."""
    made = DataDir(tmp_path / "a place")
    made.prepare()
    keys.load_or_generate(made)
    yield made.path
    postgres.remove(made.path)


def test_the_option_is_taken_out_in_both_its_forms():
    for option in (["--data-dir", "x"], ["--data-dir=x"]):
        assert _without_data_dir(["manage.py", "migrate", *option, "--plan"]) == [
            *("manage.py", "migrate", "--plan"),
        ]


def test_a_directory_without_a_stack_is_refused_by_a_command_that_makes_one(tmp_path):
    for command in (("export", "--json"), ("migrate",)):
        refused = run_python("manage.py", *command, "--data-dir", tmp_path / "no where")
        assert refused.returncode == 2
        hint = r"start one there first by `(.+)`"
        printed = re.sub(hint, r"start one there first by `\1 --help`", refused.stderr)
        assert "--feed" in run_hint(printed, hint)
        assert f"'{tmp_path / 'no where'}'" in printed


def test_an_older_database_is_brought_up_by_the_command_that_is_printed(data_dir):
    refused = run_python("manage.py", "export", "--json", "--data-dir", data_dir)
    assert refused.returncode == 2
    assert "older than this program" in refused.stderr
    run_hint(refused.stderr, r"or run `(.+)`")
    done = run_python("manage.py", "export", "--json", "--data-dir", data_dir)
    assert done.returncode == 0, done.stderr
