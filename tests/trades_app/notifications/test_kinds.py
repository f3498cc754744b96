"""Every kind has what makes its text, and says in a sentence where it cannot."""

import pytest

from trades_app.models import Message
from trades_app.notifications import kinds
from trades_app.notifications.kinds import Unreadable, text_of


def test_every_kind_has_a_renderer() -> None:
    assert set(kinds._RENDERERS) == set(Message.Kind)


def test_a_renderer_gets_the_data_with_its_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "_RENDERERS", {})
    kinds.register(Message.Kind.REPORT, lambda data: f"{data['period']} {data['digest']}")

    assert text_of(Message(kind="REPORT", data={"period": "day"}, digest="ab")) == "day ab"


def test_a_finished_text_is_used_as_it_is() -> None:
    assert text_of(Message(kind="SIGNAL", text="finished")) == "finished"


@pytest.mark.parametrize("kind", [*Message.Kind, "POEM"])
def test_data_that_is_no_message_is_refused_in_a_sentence(kind: str) -> None:
    with pytest.raises(Unreadable, match=r"^The text of signal:1 cannot be made: .*\.$"):
        text_of(Message(key="signal:1", kind=kind, data={"poem": "odd"}))
