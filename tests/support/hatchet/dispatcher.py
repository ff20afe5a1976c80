"""The in-test Hatchet engine as a gRPC and HTTP server that the real SDK talks to.

It serves what the SDK calls: `v1.AdminService/PutWorkflow` and `GetRunDetails`, `WorkflowService/TriggerWorkflow` and
`BulkTriggerWorkflow`, the `Dispatcher`, `EventsService/PutLog` and `PutStreamEvent`; over HTTP the cancellation of
tasks and the pause of workers. It has no durable execution, no schedules and no concurrency limits, and a task times
out when the test says so.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

import grpc
from google.protobuf.message import Message
from hatchet_sdk.contracts import dispatcher_pb2, events_pb2, workflows_pb2
from hatchet_sdk.contracts.v1 import workflows_pb2 as v1_workflows_pb2
from hatchet_sdk.contracts.v1.shared import trigger_pb2

from tests.support.hatchet.runs import ENDS, TENANT, Engine, WorkflowRun
from tests.support.ports import free_port

__all__ = ["HatchetServer"]

VERSION: Final = "v0.120.0"
_RUN_STATES: Final = {
    "QUEUED": v1_workflows_pb2.QUEUED,
    "RUNNING": v1_workflows_pb2.RUNNING,
    "COMPLETED": v1_workflows_pb2.COMPLETED,
    "FAILED": v1_workflows_pb2.FAILED,
    "CANCELLED": v1_workflows_pb2.CANCELLED,
}


class HatchetServer:
    """A server for one engine; ``with`` starts and ends it. `stop` and `start` let it go and come back.

    Attributes:
        engine: Its state, which outlives a stop.
        refuses_cancellations: Whether its HTTP API answers cancellations with 403.
    """

    def __init__(self) -> None:
        self.engine = Engine()
        self.refuses_cancellations = False
        self._port = free_port()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _rest_handler(self))
        self._http_thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._server: grpc.Server | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that lead the SDK here; the token is unsigned, since the SDK only reads it."""
        claims = {
            "sub": TENANT,
            "server_url": f"http://127.0.0.1:{self._http.server_port}",
            "grpc_broadcast_address": f"127.0.0.1:{self._port}",
        }
        parts = ({"alg": "none"}, claims)
        token = ".".join(
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts
        )
        return {"HATCHET_CLIENT_TOKEN": f"{token}.", "HATCHET_CLIENT_TLS_STRATEGY": "none"}

    def start(self) -> None:
        """Listen for workers."""
        # The SDK pings more often than gRPC's servers accept by default, which would end its connections.
        options = [("grpc.http2.max_ping_strikes", 0)]
        self._server = grpc.server(ThreadPoolExecutor(max_workers=64), options=options)
        self._server.add_generic_rpc_handlers(_services(self.engine))
        self._server.add_insecure_port(f"127.0.0.1:{self._port}")
        self._server.start()

    def stop(self) -> None:
        """Cut all workers off, and listen no more."""
        assert self._server is not None
        self._server.stop(0).wait()
        with self.engine.changed:
            for worker in self.engine.workers:
                self.engine.unlisten(worker)

    def __enter__(self) -> Self:
        self._http_thread.start()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._http.shutdown()
        self._http.server_close()


def _services(engine: Engine) -> tuple[grpc.GenericRpcHandler, ...]:
    d, e, w, v1 = dispatcher_pb2, events_pb2, workflows_pb2, v1_workflows_pb2

    def put_workflow(request: v1.CreateWorkflowVersionRequest) -> Message:
        engine.put_workflow(request)
        return v1.CreateWorkflowVersionResponse(id=request.name, workflow_id=request.name)

    def run_details(request: v1.GetRunDetailsRequest) -> Message:
        return _details(engine.runs[request.external_id])

    def trigger(request: trigger_pb2.TriggerWorkflowRequest) -> Message:
        return w.TriggerWorkflowResponse(workflow_run_id=engine.triggered(request).id)

    def trigger_many(request: w.BulkTriggerWorkflowRequest) -> Message:
        return w.BulkTriggerWorkflowResponse(
            workflow_run_ids=[engine.triggered(one).id for one in request.workflows]
        )

    def register(request: d.WorkerRegisterRequest) -> Message:
        worker_id = engine.register(frozenset(request.actions))
        return d.WorkerRegisterResponse(
            tenant_id=TENANT, worker_id=worker_id, worker_name=request.worker_name
        )

    def event(request: d.StepActionEvent) -> Message:
        engine.event(request)
        return d.ActionEventResponse(tenant_id=TENANT, worker_id=request.worker_id)

    def heartbeat(request: d.HeartbeatRequest) -> Message:
        engine.heartbeat(request.worker_id)
        return d.HeartbeatResponse()

    def unsubscribe(request: d.WorkerUnsubscribeRequest) -> Message:
        engine.unsubscribe(request.worker_id)
        return d.WorkerUnsubscribeResponse(tenant_id=TENANT, worker_id=request.worker_id)

    def put_log(request: e.PutLogRequest) -> Message:
        engine.logs.append(request.message)
        return e.PutLogResponse()

    def put_stream(request: e.PutStreamEventRequest) -> Message:
        engine.streamed.append(request.message)
        return e.PutStreamEventResponse()

    def get_version(request: d.GetVersionRequest) -> Message:
        return d.GetVersionResponse(version=VERSION)

    def listen(request: d.WorkerListenRequest, context: grpc.ServicerContext) -> Iterator[Message]:
        context.add_callback(lambda: engine.unlisten(request.worker_id, context))
        return engine.listen(request.worker_id, context)

    def results(
        requests: Iterator[d.SubscribeToWorkflowRunsRequest], context: grpc.ServicerContext
    ) -> Iterator[Message]:
        for request in requests:
            run = engine.runs[request.workflow_run_id]
            engine.wait_for(partial(_has_ended, run, context), seconds=600)
            yield _result(run)

    return (
        grpc.method_handlers_generic_handler(
            "v1.AdminService",
            {
                "PutWorkflow": _unary(put_workflow, v1.CreateWorkflowVersionRequest),
                "GetRunDetails": _unary(run_details, v1.GetRunDetailsRequest),
            },
        ),
        grpc.method_handlers_generic_handler(
            "WorkflowService",
            {
                "TriggerWorkflow": _unary(trigger, trigger_pb2.TriggerWorkflowRequest),
                "BulkTriggerWorkflow": _unary(trigger_many, w.BulkTriggerWorkflowRequest),
            },
        ),
        grpc.method_handlers_generic_handler(
            "Dispatcher",
            {
                "GetVersion": _unary(get_version, d.GetVersionRequest),
                "Register": _unary(register, d.WorkerRegisterRequest),
                "SendStepActionEvent": _unary(event, d.StepActionEvent),
                "Heartbeat": _unary(heartbeat, d.HeartbeatRequest),
                "Unsubscribe": _unary(unsubscribe, d.WorkerUnsubscribeRequest),
                "ListenV2": grpc.unary_stream_rpc_method_handler(
                    listen,
                    request_deserializer=d.WorkerListenRequest.FromString,
                    response_serializer=_serialize,
                ),
                "SubscribeToWorkflowRuns": grpc.stream_stream_rpc_method_handler(
                    results,
                    request_deserializer=d.SubscribeToWorkflowRunsRequest.FromString,
                    response_serializer=_serialize,
                ),
            },
        ),
        grpc.method_handlers_generic_handler(
            "EventsService",
            {
                "PutLog": _unary(put_log, e.PutLogRequest),
                "PutStreamEvent": _unary(put_stream, e.PutStreamEventRequest),
            },
        ),
    )


def _has_ended(run: WorkflowRun, context: grpc.ServicerContext) -> bool:
    return run.state in ENDS or not context.is_active()


def _unary(call: Callable[[Any], Message], request: type[Message]) -> grpc.RpcMethodHandler[Any, Message]:
    def answer(message: Any, context: grpc.ServicerContext) -> Message:
        return call(message)

    return grpc.unary_unary_rpc_method_handler(
        answer, request_deserializer=request.FromString, response_serializer=_serialize
    )


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()


def _details(run: WorkflowRun) -> Message:
    details = v1_workflows_pb2.GetRunDetailsResponse(
        input=run.request.input.encode(), status=_RUN_STATES[run.state], done=run.state in ENDS
    )
    for name, task in run.tasks.items():
        detail = details.task_runs[name]
        detail.external_id, detail.readable_id = task.id, name
        detail.status = _RUN_STATES[task.state]
        detail.error, detail.output = task.error, task.output.encode()
    return details


def _result(run: WorkflowRun) -> Message:
    return dispatcher_pb2.WorkflowRunEvent(
        workflow_run_id=run.id,
        event_type=dispatcher_pb2.WORKFLOW_RUN_EVENT_TYPE_FINISHED,
        results=[
            dispatcher_pb2.StepRunResult(
                task_run_external_id=task.id,
                task_name=name,
                job_run_id=run.id,
                error=task.error or None if task.state == "FAILED" else None,
                output=task.output or None,
            )
            for name, task in run.tasks.items()
        ],
    )


def _rest_handler(server: HatchetServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path != f"/api/v1/stable/tenants/{TENANT}/tasks/cancel":
                self._answer(404, {})
            elif server.refuses_cancellations:
                self._answer(403, {"errors": [{"description": "forbidden"}]})
            else:
                server.engine.cancel_by_id(body["externalIds"])
                self._answer(200, {"ids": body["externalIds"]})

        def do_PATCH(self) -> None:
            self._answer(200, {})  # a worker pauses before it stops

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's own word
            pass

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            encoded = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

    return Handler
