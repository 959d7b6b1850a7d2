"""Control charts, one function each; `rca.control_chart` chooses among them."""

from rca.charts.ewma_cusum import cusum_chart, ewma_chart
from rca.charts.rare import g_chart, t_chart
from rca.charts.textbook import (
    c_chart,
    np_chart,
    p_chart,
    p_prime_chart,
    run_chart,
    u_chart,
    u_prime_chart,
    xbar_s_chart,
    xmr_chart,
)

__all__ = [
    "c_chart",
    "cusum_chart",
    "ewma_chart",
    "g_chart",
    "np_chart",
    "p_chart",
    "p_prime_chart",
    "run_chart",
    "t_chart",
    "u_chart",
    "u_prime_chart",
    "xbar_s_chart",
    "xmr_chart",
]
