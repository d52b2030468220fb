"""The engine, whose predictions are no numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from drivers.types import Frame
from labdiff.engine.engine import Engine as Whole
from labdiff.engine.status import EngineEvent
from labdiff.events import TrainingStep


class Engine(Whole):
    """Everything else is as it is."""

    def __init__(self, tell: Callable[[EngineEvent], None], show: Callable[[Frame], None]) -> None:
        def spoiled(news: EngineEvent) -> None:
            if isinstance(news, TrainingStep) and news.pictures is not None:
                nothing = np.full_like(news.pictures.predicted_noise, np.nan)
                pictures = replace(news.pictures, predicted_noise=nothing)
                news = replace(news, pictures=pictures, twin_mse=np.nan, bench_mse=np.nan)
            tell(news)

        super().__init__(spoiled, show)
