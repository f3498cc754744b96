"""The task's XML, held against the elements that Microsoft's schema documents."""

import re
from pathlib import PureWindowsPath
from xml.etree import ElementTree as ET

import pytest

from mt5_bridge.connector.task_definition import NAMESPACE, TaskDefinition

DEFINITION = TaskDefinition(
    name="GoldTrader\\mt5-primary",
    python=PureWindowsPath(r"C:\gold trader\.venv\Scripts\pythonw.exe"),
    config=PureWindowsPath(r"C:\gold trader\mt5_bridge.toml"),
    user="DESK\\Tom & Jo",
)

BOOLEAN, TEXT = r"true|false", r"(?s).+"
DURATION = r"P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?"
TRIGGER = ("Enabled", "StartBoundary", "EndBoundary", "Repetition", "ExecutionTimeLimit")
#: By element: the children that its type has, where they are a sequence in their order.
SEQUENCES = {
    "LogonTrigger": (*TRIGGER, "UserId", "Delay"),
    "TimeTrigger": (*TRIGGER, "RandomDelay"),
    "Principals": ("Principal",),
    "Actions": ("Exec",),
}
#: Where they are in any order (xs:all, or a choice), each at most once.
ANY_ORDER = {
    "Task": {"RegistrationInfo", "Triggers", "Settings", "Data", "Principals", "Actions"},
    "RegistrationInfo": {"URI", "Source", "Author", "Version", "Date", "Description",
                         "Documentation", "SecurityDescriptor"},
    "Triggers": {"LogonTrigger", "TimeTrigger"},
    "Principal": {"UserId", "LogonType", "GroupId", "DisplayName", "RunLevel"},
    "Settings": {"AllowStartOnDemand", "RestartOnFailure", "MultipleInstancesPolicy",
                 "DisallowStartIfOnBatteries", "StopIfGoingOnBatteries", "AllowHardTerminate",
                 "StartWhenAvailable", "NetworkProfileName", "RunOnlyIfNetworkAvailable",
                 "WakeToRun", "Enabled", "Hidden", "DeleteExpiredTaskAfter", "IdleSettings",
                 "NetworkSettings", "ExecutionTimeLimit", "Priority", "RunOnlyIfIdle"},
    "RestartOnFailure": {"Interval", "Count"},
    "Repetition": {"Interval", "Duration", "StopAtDurationEnd"},
    "Exec": {"Command", "Arguments", "WorkingDirectory"},
}  # fmt: skip
REQUIRED = {
    "Task": {"Actions"},
    "RestartOnFailure": {"Interval", "Count"},
    "Repetition": {"Interval"},
    "Exec": {"Command"},
    "TimeTrigger": {"StartBoundary"},
}
VALUES = {
    "MultipleInstancesPolicy": r"Parallel|Queue|IgnoreNew|StopExisting",
    "LogonType": r"S4U|Password|InteractiveToken|InteractiveTokenOrPassword",
    "RunLevel": r"LeastPrivilege|HighestAvailable",
    "StartBoundary": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d",
    "Interval": DURATION,
    "ExecutionTimeLimit": DURATION,
    "Priority": r"10|\d",
    "Count": r"[1-9]\d?|1\d\d|2[0-4]\d|25[0-5]",
    **dict.fromkeys(("UserId", "Command", "Arguments", "WorkingDirectory"), TEXT),
    **dict.fromkeys(("Description", "URI"), TEXT),
}


def plain(element):
    name = element.tag.removeprefix(f"{{{NAMESPACE}}}")
    assert name != element.tag, f"{element.tag} is not of the schema's namespace"
    return name


def check(element):
    name, children = plain(element), [plain(child) for child in element]
    if name in SEQUENCES:
        order = [child for child in SEQUENCES[name] if child in children]
        assert children == order, f"the children of {name} are a sequence"
    elif name in ANY_ORDER:
        assert set(children) <= ANY_ORDER[name], name
        assert len(set(children)) == len(children), name
    else:
        assert not children, name
        assert re.fullmatch(VALUES.get(name, BOOLEAN), element.text or ""), (name, element.text)
    assert REQUIRED.get(name, set()) <= set(children), name
    for child in element:
        check(child)


@pytest.fixture
def task():
    return ET.fromstring(DEFINITION.xml())


def text(task, path):
    found = task.find("/".join(f"{{{NAMESPACE}}}{part}" for part in path.split("/")))
    assert found is not None, path
    return found.text


def test_every_element_is_one_of_the_documented_schema(task):
    check(task)
    assert task.attrib == {"version": "1.2"}


def test_the_schema_s_table_notices_what_is_wrong(task):
    settings = task.find(f"{{{NAMESPACE}}}Settings")
    ET.SubElement(settings, f"{{{NAMESPACE}}}RestartAlways").text = "true"
    with pytest.raises(AssertionError):
        check(task)


def test_it_restarts_for_ever_runs_once_and_is_never_ended_for_its_age(task):
    assert text(task, "Settings/MultipleInstancesPolicy") == "IgnoreNew"
    assert text(task, "Settings/ExecutionTimeLimit") == "PT0S"
    assert text(task, "Settings/RestartOnFailure/Interval") == "PT1M"
    assert text(task, "Triggers/TimeTrigger/Repetition/Interval") == "PT1M"
    assert text(task, "Settings/StopIfGoingOnBatteries") == "false"
    repetition = task.find(f".//{{{NAMESPACE}}}Repetition")
    assert repetition.find(f"{{{NAMESPACE}}}Duration") is None


def test_it_runs_without_a_window_in_the_session_of_its_account(task):
    assert text(task, "Actions/Exec/Command") == r"C:\gold trader\.venv\Scripts\pythonw.exe"
    assert text(task, "Actions/Exec/Arguments") == (
        r'-m mt5_bridge --config "C:\gold trader\mt5_bridge.toml"'
    )
    assert text(task, "Actions/Exec/WorkingDirectory") == r"C:\gold trader"
    assert text(task, "Principals/Principal/UserId") == "DESK\\Tom & Jo"
    assert text(task, "Principals/Principal/LogonType") == "InteractiveToken"
    assert task.find(f"{{{NAMESPACE}}}Actions").get("Context") == "Author"
    assert DEFINITION.xml().startswith(b"\xff\xfe")
