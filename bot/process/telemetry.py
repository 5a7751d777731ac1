"""Errors for Sentry and spans for an OpenTelemetry collector, when the operator asks for them; nothing of any person.

An error goes out as its type and the places in the source where it passed, with the template of our log line: what an
error or a library says of itself may quote people. A span has a name, and ids of our own.
"""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, cast

from bot import __version__
from bot.errors import StartupError
from bot.process.log import bound_job
from bot.process.tracing import collect

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

FLUSH_S = 2
OURS = ("bot", "cogs")
KEPT = ("event_id", "timestamp", "level", "logger", "platform", "release", "environment", "sdk")
"""Parts of an event that the SDK writes by itself."""


@contextlib.contextmanager
def reporting(sentry_dsn: str | None, otlp_endpoint: str | None, proxy: str | None) -> Iterator[None]:
    """Report until the end; what is on its way then gets FLUSH_S. StartupError when an extra is missing."""
    with contextlib.ExitStack() as stack:
        if sentry_dsn is not None:
            stack.enter_context(_errors(sentry_dsn, proxy or ""))
        if otlp_endpoint is not None:
            stack.enter_context(_spans(otlp_endpoint, proxy))
        yield


@contextlib.contextmanager
def _errors(dsn: str, proxy: str) -> Iterator[None]:
    try:
        import sentry_sdk
        from sentry_sdk.integrations.logging import LoggingIntegration
        from sentry_sdk.utils import BadDsn
    except ImportError:
        raise StartupError(
            "DARKROOM_SENTRY_DSN is set, but the package sentry-sdk is missing. Install the extra named sentry, or "
            "unset it."
        ) from None
    try:
        sentry_sdk.init(
            dsn,
            release=f"darkroom@{__version__}",
            default_integrations=False,
            integrations=[LoggingIntegration(level=None, sentry_logs_level=None)],
            before_send=clean_event,
            include_local_variables=False,
            include_source_context=False,
            max_breadcrumbs=0,
            max_request_body_size="never",
            auto_session_tracking=False,
            send_client_reports=False,
            http_proxy=proxy,  # empty: HTTP_PROXY and its like are not read
            https_proxy=proxy,
        )
    except BadDsn:
        raise StartupError(
            "DARKROOM_SENTRY_DSN is not the DSN of a Sentry project. Copy it again from there."
        ) from None
    try:
        yield
    finally:
        sentry_sdk.get_client().close(timeout=FLUSH_S)


def clean_event(event: "Event", hint: "Hint") -> "Event":
    """The event anew, of nothing but what is known to be no one's."""
    given = cast("Mapping[str, Any]", event)
    kept = {name: given[name] for name in KEPT if name in given}
    record = hint.get("log_record")
    if record is not None and record.name.partition(".")[0] in OURS:
        kept["logentry"] = {"message": str(record.msg)}
    errors = given.get("exception", {}).get("values", [])
    kept["exception"] = {"values": [_without_words(each) for each in errors]}
    job = bound_job()
    kept["tags"] = {} if job is None else {"job": job}
    return cast("Event", kept)


def _without_words(error: Mapping[str, Any]) -> dict[str, Any]:
    frames = (error.get("stacktrace") or {}).get("frames", [])
    return {
        "type": error.get("type"),
        "module": error.get("module"),
        "stacktrace": {"frames": [_place(frame) for frame in frames]},
    }


def _place(frame: Mapping[str, Any]) -> dict[str, Any]:
    module = frame.get("module") or ""
    return {
        "filename": PurePath(frame.get("filename") or "").name,
        "module": module,
        "function": frame.get("function"),
        "lineno": frame.get("lineno"),
        "in_app": module.partition(".")[0] in OURS,
    }


@contextlib.contextmanager
def _spans(endpoint: str, proxy: str | None) -> Iterator[None]:
    try:
        import requests
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace import Status, StatusCode
    except ImportError:
        raise StartupError(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry's packages are missing. Install the extra named "
            "otel, or unset it."
        ) from None
    session = requests.Session()
    session.trust_env = False
    session.proxies = {} if proxy is None else {"http": proxy, "https": proxy}
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=FLUSH_S, session=session)
    resource = Resource.create({"service.name": "darkroom", "service.version": __version__})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("darkroom", __version__)

    @contextlib.contextmanager
    def begin(name: str, about: Mapping[str, str]) -> Iterator[None]:
        with tracer.start_as_current_span(
            name, attributes=about, record_exception=False, set_status_on_exception=False
        ) as current:
            try:
                yield
            except Exception as error:
                current.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    collect(begin)
    try:
        yield
    finally:
        collect(None)
        provider.shutdown()
