"""A Table shows its own first rows."""

from __future__ import annotations

from lstm_core.data.generators import generate
from lstm_core.data.samples import load_sample
from lstm_core.experiment import DataSpec
from tests.data.csv_texts import read


def test_preview_shows_what_was_understood():
    text = "when,word,v\n2020-01-01,a,1\n2020-01-02,NA,x\n2020-01-03,a,3\n2020-01-04,b,3\n2020-01-05,b,9\n"
    frame = read(text).head(3)
    assert frame["word"].tolist()[0] == "a"
    assert frame.isna().sum().to_dict() == {"when": 0, "word": 1, "v": 1}
    assert frame["when"].dt.day.tolist() == [1, 2, 3]


def test_the_digest_of_an_earlier_version_is_known_again():
    """As commit 3b05a83 gave it, when numbers were kept in float32."""
    assert load_sample("nile").sha256_of_float32 == "ac660449eaa93bf5043465a9cfa1e14220327d0be4571adfd0bba0b99677fec1"
    synthetic = generate(DataSpec(source="generator", name="mackey_glass", length=50))
    assert synthetic.sha256_of_float32 == "40fd9ea9a79588fa11b0664f3d0739894f919a83d59a54d3c057fe4904df91ef"
