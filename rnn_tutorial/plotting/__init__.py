"""Every picture of the chapters, from arrays. Functions return the Axes; import this package explicitly."""

from rnn_tutorial.plotting.curves import (
    plot_jacobian_norms,
    plot_learning_curve,
    plot_signals,
    plot_states,
    plot_truncation_bias,
    plot_u_curve,
)
from rnn_tutorial.plotting.diagrams.cells import draw_carousel, draw_gru_forms, draw_lstm
from rnn_tutorial.plotting.diagrams.directions import draw_both_directions
from rnn_tutorial.plotting.diagrams.layouts import draw_layouts
from rnn_tutorial.plotting.diagrams.padding import plot_padding
from rnn_tutorial.plotting.diagrams.paths import (
    draw_paths,
    draw_shapes,
    draw_step,
    draw_unrolled,
    draw_window,
)
from rnn_tutorial.plotting.diagrams.stack import draw_stack
from rnn_tutorial.plotting.gates import plot_gates, plot_gradient_flow, plot_traces, plot_trials
from rnn_tutorial.plotting.maps import plot_cobweb
from rnn_tutorial.plotting.show import show
from rnn_tutorial.plotting.speed import plot_ratios, plot_roofline
from rnn_tutorial.plotting.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    YELLOW,
    house_style,
    new_axes,
    use_house_style,
)

__all__ = [
    "BLACK",
    "BLUE",
    "GREEN",
    "GREY",
    "ORANGE",
    "PURPLE",
    "SKY",
    "VERMILLION",
    "YELLOW",
    "draw_both_directions",
    "draw_carousel",
    "draw_gru_forms",
    "draw_layouts",
    "draw_lstm",
    "draw_paths",
    "draw_shapes",
    "draw_stack",
    "draw_step",
    "draw_unrolled",
    "draw_window",
    "house_style",
    "new_axes",
    "plot_cobweb",
    "plot_gates",
    "plot_gradient_flow",
    "plot_jacobian_norms",
    "plot_learning_curve",
    "plot_padding",
    "plot_ratios",
    "plot_roofline",
    "plot_signals",
    "plot_states",
    "plot_traces",
    "plot_trials",
    "plot_truncation_bias",
    "plot_u_curve",
    "show",
    "use_house_style",
]
