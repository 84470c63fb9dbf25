# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Metrics for Prometheus, served at `/metrics`."""

from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector


SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60, 120)
REQUESTS = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Counters of one server, in a separate registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        options: dict[str, Any] = {"namespace": "mtrefseg", "registry": self.registry}
        self.requests = Counter("requests", "Requests by path and status.", ["path", "status"], **options)
        self.seconds = Histogram("request_seconds", "Time of a request.", ["path"], buckets=SECONDS, **options)
        self.encoding = Histogram("encoding_seconds", "Time to read and encode a pair.", buckets=SECONDS, **options)
        self.answering = Histogram("answering_seconds", "Time for the sentences.", buckets=SECONDS, **options)
        self.batches = Histogram("batch_requests", "Requests answered together.", buckets=REQUESTS, **options)
        self.known_pairs = Counter("known_pairs", "Batches whose pair was in the cache.", **options)
        self.sentences = Counter("sentences", "Sentences sent to the model.", **options)
        self.under_way = Gauge("requests_under_way", "Segmentation requests, uploads included.", **options)
        self._waiting = Gauge("requests_waiting", "Requests waiting for the model.", **options)
        self._cache = Gauge("cache_bytes", "Memory of the encoded pairs.", **options)

    def watch(self, waiting: Callable[[], float], cache_bytes: Callable[[], float]) -> None:
        """Reads the length of the queue and the size of the cache whenever metrics are requested."""
        self._waiting.set_function(waiting)
        self._cache.set_function(cache_bytes)

    def count_batch(self, encoding_seconds: float | None, answering_seconds: float, requests: int, asked: int) -> None:
        """Counts the work of the model for combined requests, see [`Batcher`]."""
        if encoding_seconds is None:
            self.known_pairs.inc()
        else:
            self.encoding.observe(encoding_seconds)
        self.answering.observe(answering_seconds)
        self.batches.observe(requests)
        self.sentences.inc(asked)
