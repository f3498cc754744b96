"""The connector as a task of Windows' Task Scheduler, in the XML of its schema, version 1.2.

The schema's pages: https://learn.microsoft.com/windows/win32/taskschd/task-scheduler-schema
"""

import subprocess
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

NAMESPACE: Final = "http://schemas.microsoft.com/windows/2004/02/mit/task"
_PRINCIPAL: Final = "Author"
# Any moment of the past: from then on the task is looked at once a minute.
_SINCE: Final = "2026-01-01T00:00:00"


@dataclass(frozen=True, slots=True)
class TaskDefinition:
    """The connector's task: ``python`` is a `pythonw.exe`, which opens no console window.

    ``user`` is the account in whose session it runs, as `DOMAIN\\name`: the terminal needs its
    desktop, and the keyring its login.
    """

    name: str
    python: PureWindowsPath
    config: PureWindowsPath
    user: str

    def xml(self) -> bytes:
        """The definition in UTF-16, as `schtasks /XML` reads it."""
        task = Element("Task", version="1.2", xmlns=NAMESPACE)
        about = SubElement(task, "RegistrationInfo")
        _put(about, Description=f"The MT5 connector {self.name}", URI=f"\\{self.name}")
        _add_triggers(SubElement(task, "Triggers"), self.user)
        principal = SubElement(SubElement(task, "Principals"), "Principal", id=_PRINCIPAL)
        _put(principal, UserId=self.user, LogonType="InteractiveToken", RunLevel="LeastPrivilege")
        _add_settings(SubElement(task, "Settings"))
        program = SubElement(SubElement(task, "Actions", Context=_PRINCIPAL), "Exec")
        arguments = ["-m", "mt5_bridge", "--config", str(self.config)]
        _put(
            program,
            Command=str(self.python),
            Arguments=subprocess.list2cmdline(arguments),
            WorkingDirectory=str(self.config.parent),
        )
        indent(task)
        return bytes(tostring(task, encoding="utf-16", xml_declaration=True))


def _add_triggers(triggers: Element, user: str) -> None:
    """At login, and once a minute from then on: while it runs, another start is ignored.

    `RestartOnFailure` alone would not do: not every end of a program counts as a failure of its
    task, and its count ends.
    """
    _put(SubElement(triggers, "LogonTrigger"), Enabled="true", UserId=user)
    every_minute = SubElement(triggers, "TimeTrigger")
    _put(every_minute, Enabled="true", StartBoundary=_SINCE)
    _put(SubElement(every_minute, "Repetition"), Interval="PT1M", StopAtDurationEnd="false")


def _add_settings(settings: Element) -> None:
    _put(
        settings,
        MultipleInstancesPolicy="IgnoreNew",
        DisallowStartIfOnBatteries="false",
        StopIfGoingOnBatteries="false",
        AllowHardTerminate="true",
        StartWhenAvailable="true",
        RunOnlyIfNetworkAvailable="false",
        AllowStartOnDemand="true",
        Enabled="true",
        Hidden="false",
        RunOnlyIfIdle="false",
        WakeToRun="false",
        # None: the default would end it after three days.
        ExecutionTimeLimit="PT0S",
        # As a program that is started by hand; the default of tasks is below that.
        Priority="5",
    )
    _put(SubElement(settings, "RestartOnFailure"), Interval="PT1M", Count="255")


def _put(element: Element, **values: str) -> None:
    """Add a child with a text for each value, in their order."""
    for name, text in values.items():
        SubElement(element, name).text = text
