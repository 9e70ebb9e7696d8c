"""A paper card: what a paper claims, by which rule it counts, what comes out here, and how to cite it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """A paper, as a list of references gives it; kind "article" has a journal, "inproceedings" a conference."""

    authors: tuple[str, ...]  # first names first
    year: int
    title: str
    venue: str
    kind: str = "article"
    volume: str = ""
    number: str = ""
    pages: str = ""  # with an en dash
    eprint: str = ""  # on arXiv

    @property
    def who(self) -> str:
        """Sepp Hochreiter & Jürgen Schmidhuber."""
        *others, last = self.authors
        return f"{', '.join(others)} & {last}" if others else last

    @property
    def where(self) -> str:
        """Neural Computation 9(8), 1735–1780."""
        volume = self.volume + f"({self.number})" * bool(self.number)
        place = " ".join(part for part in (self.venue, volume) if part)
        return ", ".join(part for part in (place, self.pages, f"arXiv {self.eprint}" * bool(self.eprint)) if part)

    @property
    def bibtex(self) -> str:
        """The entry, with letters beyond ASCII as they are: biber and recent BibTeX read UTF-8."""
        key = f"{_surname(self.authors[0]).lower()}{self.year}{self.title.split()[0].lower().strip(':,?')}"
        names = " and ".join(f"{_surname(name)}, {name.removesuffix(_surname(name)).strip()}" for name in self.authors)
        fields = {
            "author": names,
            "title": f"{{{self.title}}}",  # keeps its capitals
            "journal" if self.kind == "article" else "booktitle": self.venue,
            "year": str(self.year),
            "volume": self.volume,
            "number": self.number,
            "pages": self.pages.replace("–", "--"),
            "eprint": self.eprint,
            "archiveprefix": "arXiv" * bool(self.eprint),
        }
        lines = [f"  {name:<13} = {{{value}}}," for name, value in fields.items() if value]
        return "\n".join([f"@{self.kind}{{{key},", *lines, "}"])


@dataclass(frozen=True)
class PaperCard:
    """What a lesson has of a paper; paper_figures.py counts what comes out here. Texts: Markdown, a paragraph each."""

    paper: Reference
    claim: str
    row: str  # the figure to compare with, and in which table or experiment it stands
    rule: str  # when a trial counts, in the paper; "": its figures are not compared with
    differences: str  # between the paper's setting and the lesson's

    @property
    def parts(self) -> dict[str, str]:
        """Heading → text, those that there are."""
        texts = {
            "Claim": self.claim,
            "Published figure": self.row,
            "Its rule": self.rule,
            "What differs": self.differences,
        }
        return {title: text for title, text in texts.items() if text}


def _surname(name: str) -> str:
    return name.rpartition(" ")[2]
