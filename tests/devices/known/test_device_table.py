import time

import pytest

from hub.devices.registry import Registry, load_fleets
from hub.documents.document import Problems

TABLE = """topic,site,number,limit,limit.min,limit.max,active,note
site/{site}/freezer/{number}/telemetry,a,7,-15,-25,-10,true,"cold, dark"
site/{site}/freezer/{number}/telemetry,b,8,,,,false,0815
cellar/boiler,,,3.5,,,,
"""


def read(tmp_path, text, name="freezers.csv"):
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    problems = Problems()
    return load_fleets([tmp_path], problems), problems


def test_each_row_is_a_device_and_each_column_an_attribute(tmp_path):
    fleets, problems = read(tmp_path, TABLE)
    assert problems == []
    registry = Registry(fleets)
    assert registry.attributes("site/a/freezer/7/door") == {
        "fleet": "freezers", "site": "a", "number": "7", "limit": -15, "active": True, "note": "cold, dark"
    }  # fmt: skip
    assert registry.attributes("site/b/freezer/8/telemetry") == {
        "fleet": "freezers", "site": "b", "number": "8", "active": False, "note": "0815"
    }  # fmt: skip
    assert registry.attributes("cellar/boiler") == {"fleet": "freezers", "limit": 3.5}
    assert sorted(registry.topics("#")) == [
        "cellar/boiler", "site/a/freezer/7/telemetry", "site/b/freezer/8/telemetry"
    ]  # fmt: skip
    assert list(registry.topics("site/b/#")) == ["site/b/freezer/8/telemetry"]
    assert str(registry.named("freezer/7")[0].settable["limit"]) == "a number from -25 to -10"
    assert registry.named("freezer/8")[0].settable == {}


@pytest.mark.parametrize("text", ["\ufeff" + TABLE, TABLE.replace("\n", "\r\n")])
def test_a_bom_and_line_ends_of_windows_change_nothing(tmp_path, text):
    fleets, problems = read(tmp_path, text)
    assert problems == []
    assert len(Registry(fleets)) == 3


def test_semicolons_separate_cells_too(tmp_path):
    fleets, problems = read(tmp_path, "topic;limit;note\na/b;3;1,5\n")
    assert problems == []
    assert Registry(fleets).attributes("a/b") == {"fleet": "freezers", "limit": 3, "note": "1,5"}


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("name,limit\na,1\n", (1, 1), "needs a column 'topic'"),
        ("topic,a b\n", (1, 7), "'a b' cannot be a column's name"),
        ("topic,a,a\n", (1, 9), "there twice"),
        ("topic,x.min\n", (1, 7), "without a column"),
        ("topic,x\na,1\n,2\n", (3, 1), "no topic"),
        ("topic,x\na/#,1\n", (2, 1), "means many"),
        ('topic,x,site\n"{site}",1,a/b\n', (2, 12), "one level of a topic"),
        ("topic,x\n{y},1\n", (2, 1), "no column"),
        ("topic,x\na,1\na,2\n", (3, 1), "there twice"),
        ("topic,x\na,1,2\n", (2, 5), "3 cells"),
        ("topic,x,x.min,x.max\na,1,9,2\n", (2, 5), "must not be above"),
        ("topic,x,x.min,x.max\na,10,1,9\n", (2, 3), "within its bounds"),
        (b"topic,x\na,\xff\n", (2, 3), "not UTF-8"),
        ('topic,x\na,"1\n', (1, 1), "cannot be read as CSV"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path, text, place, says):
    fleets, problems = read(tmp_path, text)
    assert fleets == ()
    assert [(each.line, each.column) for each in problems] == [place]
    assert says in problems[0].message


def test_a_table_with_the_devices_of_a_fleet_is_refused(tmp_path):
    (tmp_path / "a.yaml").write_text("fleet: boiler\ntopic: cellar/boiler\n", "utf-8")
    _, problems = read(tmp_path, TABLE)
    assert "the fleet 'boiler' has devices with the same topics" in problems[0].message


def test_a_hundred_thousand_rows_are_read(tmp_path):
    rows = "".join(f"site/{{site}}/freezer/{{number}},s{n % 10},{n},-{n % 20},Ada\n" for n in range(100_000))
    begun = time.process_time()
    fleets, problems = read(tmp_path, "topic,site,number,limit,owner\n" + rows)
    registry = Registry(fleets)
    print(f"{time.process_time() - begun:.2f} s")
    assert problems == []
    assert registry.attributes("site/s9/freezer/99999/x")["limit"] == -19
