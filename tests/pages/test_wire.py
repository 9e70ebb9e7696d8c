"""What travels to our browser components: their messages, and modules whose imports hold."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from pages.shared.components import wire

FOLDER = wire._HERE
MODULES = sorted(FOLDER.rglob("*.js"))
IMPORT = re.compile(r'^import (?:\{([^}]*)\}|\* as \w+) from "([^"]+)";', re.M)
EXPORT = re.compile(r"^export (?:async )?(?:function\*? |const |class )(\w+)(?: = [^;\n]*, (\w+) =)?", re.M)


def test_a_message_is_json_and_then_all_numbers_as_float32():
    header = {"name": "größe", "values": 3}
    data = wire.pack(header, [np.array([[1.5, np.nan]]), np.arange(3, dtype="i8")[::-1]])
    size = int.from_bytes(data[:4], "little")
    assert size % 4 == 0  # the browser reads the numbers in place
    assert json.loads(data[4 : 4 + size]) == header
    np.testing.assert_array_equal(np.frombuffer(data[4 + size :], "<f4"), [1.5, np.nan, 2, 1, 0])


def test_a_header_that_is_no_json_is_refused():
    with pytest.raises(ValueError, match="JSON compliant"):
        wire.pack({"limit": float("nan")}, [])


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_what_a_module_imports_is_there(path):
    text = path.read_text(encoding="utf-8")
    imports = IMPORT.findall(text)
    assert len(imports) == len(re.findall(r"^import ", text, re.M))
    for names, address in imports:
        if not address.startswith("."):  # in the text of an exported page
            continue
        exports = {
            name for found in EXPORT.findall((path.parent / address).read_text(encoding="utf-8")) for name in found
        }
        needed = {name.split(" as ")[0].strip() for name in names.split(",")} - {""}
        assert needed <= exports, address


def test_a_component_goes_with_all_it_imports_as_one_module():
    text = wire.bundle("gate_heatmaps.js")
    assert not re.search(r"^import ", text, re.M)
    assert re.findall(r"^export .*", text, re.M) == ['export default component(".gate-heatmaps", {']
    assert re.findall(r'^modules\["([\w./]+)"\] = ', text, re.M) == ["canvas.js", "heatmap.js", "symbols.js", "wire.js"]
    assert re.search(r'^const \{ component, unpack \} = modules\["wire.js"\];$', text, re.M)
    assert "return { component, isDrawn, unpack, addressOf, sender };" in text
    assert wire.bundle("stage/stage.js").startswith('const modules = {};\nmodules["wire.js"] = ')


def test_every_component_is_mounted_under_its_own_name():
    mounted = {}
    for path in FOLDER.rglob("*.py"):
        for name, module in re.findall(r'mount\("(\w+)"(?:.*module="([\w./]+)")?', path.read_text(encoding="utf-8")):
            mounted[module or f"{name}.js"] = name.replace("_", "-")
    components = {}
    for path in MODULES:
        if found := re.search(r'^export default component\("\.([\w-]+)"', path.read_text(encoding="utf-8"), re.M):
            components[path.relative_to(FOLDER).as_posix()] = found[1]
    assert mounted == components and len(mounted) == 11
