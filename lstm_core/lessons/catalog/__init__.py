"""The lessons, one file each. To add one: its file, which defines LESSON, and its line here."""

MODULES = {  # name, as in addresses and saved files → module of this folder, in the order of the course
    "first_lstm": "first_lstm",
    "minibatches": "minibatches",
    "shapes": "shapes.lesson",
    "by_hand": "by_hand.lesson",
    "nn_lstm_1_1": "by_hand.nn_lstm",
    "state_life": "state_carryover.lesson",
    "claims": "claims.lesson",
    "vanishing": "vanishing",
    "exploding": "exploding",
    "forget_bias": "forget_bias",
    "adding_problem": "adding_problem",
    "temporal_order": "temporal_order",
    "embedded_reber": "reber.embedded",
    "continual_reber": "reber.continual",
    "copy_memory": "copy_memory",
    "characters": "characters.lesson",
}
