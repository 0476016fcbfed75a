"""What diagrams are drawn with: boxes, circles, arrows and words on a canvas measured in inches."""

from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle

from rnn_tutorial.plotting.style import BLACK, GREY, VERMILLION, new_axes

INPUT, STATE, OUTPUT, WEIGHT, PLAIN = "#d6eaf6", "#fbe6c2", "#cfeee2", "#ece7f3", "#ffffff"
PALE = "#a0a0a0"  # the edge of what is out of reach
FORWARD = {"color": BLACK, "linestyle": "-"}
BACKWARD = {"color": VERMILLION, "linestyle": (0, (4, 2))}


def canvas(ax, width, height):
    """Return an empty Axes of `width` by `height` inches without frame: `ax` if there is one, else of a new figure."""
    if ax is None:
        ax = new_axes(size=(width, height))
        ax.figure.set_layout_engine("none")
        ax.set_position((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    ax.axis("off")
    return ax


def box(ax, at, words, fill=PLAIN, size=(0.8, 0.6), edge=BLACK):
    """Return nothing; draw a rounded box with its centre `at`."""
    corner = (at[0] - size[0] / 2 + 0.05, at[1] - size[1] / 2 + 0.05)
    style = "round,pad=0.05,rounding_size=0.08"
    inner = (size[0] - 0.1, size[1] - 0.1)  # the style pads it by 0.05 on each side
    ax.add_patch(FancyBboxPatch(corner, *inner, style, facecolor=fill, edgecolor=edge, linewidth=1.2))
    write(ax, at, words, color=edge)


def circle(ax, at, words, fill=PLAIN, radius=0.27, edge=BLACK):
    """Return nothing; draw a circle with its centre `at`."""
    ax.add_patch(Circle(at, radius, facecolor=fill, edgecolor=edge, linewidth=1.2))
    write(ax, at, words, color=edge)


def grid(ax, corner, rows, columns, cell, fill):
    """Return nothing; draw a matrix of rows x columns square cells with its lower left corner at `corner`."""
    for row in range(rows):
        for column in range(columns):
            place = (corner[0] + column * cell, corner[1] + row * cell)
            ax.add_patch(Rectangle(place, cell, cell, facecolor=fill, edgecolor=GREY, linewidth=0.7))
    ax.add_patch(Rectangle(corner, columns * cell, rows * cell, facecolor="none", edgecolor=BLACK, linewidth=1.3))


def arrow(ax, start, end, line=FORWARD, bend=0.0):
    """Return nothing; draw an arrow from `start` to `end`, bent to one side by `bend` times its length."""
    shape = {"arrowstyle": "-|>", "connectionstyle": f"arc3,rad={bend}", "mutation_scale": 12}
    ax.add_patch(FancyArrowPatch(start, end, linewidth=1.4, shrinkA=1, shrinkB=1, **shape, **line))


def write(ax, at, words, color=BLACK, size=12, ha="center", va="center"):
    """Return nothing; write `words` at a point."""
    ax.text(*at, words, color=color, fontsize=size, ha=ha, va=va, linespacing=1.25)
