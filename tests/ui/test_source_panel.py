"""The source panel shows the file in which the action is."""

from __future__ import annotations

from pathlib import Path

from rest import at_rest
from textual.app import App, ComposeResult

from syncsim.core.operation import Operation, Site, Verb
from syncsim.core.state import Actor, Life, State
from syncsim.program.source import load, read_again
from syncsim.ui import look
from syncsim.ui.widgets.source_panel import SourcePanel


class Reading(App[None]):
    def __init__(self, panel: SourcePanel) -> None:
        super().__init__()
        self.panel = panel

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return look.theme_variables()

    def compose(self) -> ComposeResult:
        yield self.panel

    def seen(self) -> str:
        height = self.panel.scrollable_content_region.height
        return "\n".join(self.panel.render_line(y).text.rstrip() for y in range(height))


def at(place: Site) -> State:
    pending = Operation(Verb.SLEEP, call="sleep", site=place)
    return State(actors=(Actor(0, "main", 1, life=Life.ALIVE, pending=pending),))


async def test_the_panel_turns_to_the_file_where_the_process_stands_and_back(
    tmp_path: Path,
) -> None:
    (tmp_path / "town.py").write_text("import office\n\noffice.serve()\n")
    (tmp_path / "office.py").write_text("# [/the office]\n" * 30 + "serve = 7\n")
    town = Site(str(tmp_path / "town.py"), 3, "main")
    office = Site(str(tmp_path / "office.py"), 31, "serve")
    app = Reading(SourcePanel(load(town.file)))
    async with app.run_test(size=(80, 12)):
        app.panel.show(at(town), town)
        assert "3 office.serve()" in app.seen()
        assert "main" in app.seen()
        app.panel.show(at(office), office)
        await at_rest(app)
        assert app.panel.title == "office.py"
        assert str(app.panel.border_title) == "office.py"
        assert "31 serve = 7" in app.seen()
        assert "main" in app.seen()
        assert "office.serve()" not in app.seen()
        app.panel.show(at(town), town)
        await at_rest(app)
        assert app.panel.title == "town.py"
        assert app.seen().splitlines()[0].strip() == "1 import office"


async def test_a_file_that_cannot_be_read_leaves_the_panel_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "town.py").write_text("print(1)\n")
    lost = Site("<string>", 7, "serve")
    app = Reading(SourcePanel(load(tmp_path / "town.py")))
    async with app.run_test(size=(80, 12)):
        app.panel.show(at(lost), lost)
        assert app.panel.title == "town.py"
        assert "main" not in app.seen()


async def test_another_text_of_the_program_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "town.py"
    file.write_text("old = 1\n" * 3)
    program = load(file)
    app = Reading(SourcePanel(program))
    async with app.run_test(size=(80, 12)):
        place = Site(str(file), 2, "main")
        app.panel.show(at(place), place)
        file.write_text("new = 2\n" * 5)
        app.panel.read(read_again(program))
        app.panel.show(at(place), place)
        await at_rest(app)
        assert "old" not in app.seen()
        assert "5 new = 2" in app.seen()
