"""What a network has learned, as a finite automaton. No figures here."""

from lstm_core.analysis.automaton.learner import extract_dfa
from lstm_core.analysis.automaton.machine import DFA, NONE, Differences, NextSymbolAutomaton, compare, minimise
from lstm_core.analysis.automaton.network import NetworkAcceptor, SymbolNetwork
from lstm_core.analysis.automaton.next_symbol import extract_next_symbol_automaton
from lstm_core.analysis.automaton.sketch import StateSketch, sketch_automaton
from lstm_core.analysis.automaton.symbol_task import SymbolTask, symbol_task

__all__ = [
    "DFA",
    "NONE",
    "Differences",
    "NetworkAcceptor",
    "NextSymbolAutomaton",
    "StateSketch",
    "SymbolNetwork",
    "SymbolTask",
    "compare",
    "extract_dfa",
    "extract_next_symbol_automaton",
    "minimise",
    "sketch_automaton",
    "symbol_task",
]
