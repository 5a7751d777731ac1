import pytest

from bot.providers.base import WebhookHint
from bot.sandbox.apiframe.server import RehearsalApiframe
from bot.sandbox.apiframe.state import TrainingFault
from bot.sandbox.rehearsal.deliveries import WebhookFault
from tests.sandbox.apiframe.raw_client import Caller, ManualClock, Receiver, look_until_announced, make_ready_lora


@pytest.mark.parametrize("prefix", ["", "sha256="])
@pytest.mark.parametrize("variant", ["hex", "raw"])
async def test_training_webhook_comes_by_itself_and_verifies(
    server: RehearsalApiframe, caller: Caller, clock: ManualClock, receiver: Receiver, variant: str, prefix: str
) -> None:
    server.faults.webhooks.variant, server.faults.webhooks.prefix = variant, prefix
    _, created = await caller.create(webhookUrl=receiver.url)
    clock.pass_s(200)

    await receiver.wait_for(1)

    assert receiver.hints == [WebhookHint(created["id"], True, variant)]
    assert receiver.bodies[0]["status"] == "READY"
    assert receiver.events == ["completed"]


async def test_failures_are_announced_too_unless_not_wanted(
    server: RehearsalApiframe, caller: Caller, clock: ManualClock, receiver: Receiver
) -> None:
    server.faults.trainings.extend([TrainingFault.FAIL_AFTER_CHARGE, TrainingFault.FAIL_BEFORE_CHARGE])
    await caller.create(webhookUrl=receiver.url, webhookEvents="completed")
    _, wanted = await caller.create(webhookUrl=receiver.url)
    clock.pass_s(200)

    await receiver.wait_for(1)

    assert [(body["id"], body["event"]) for body in receiver.bodies] == [(wanted["id"], "failed")]


async def test_job_webhook_verifies_and_is_noted_on_the_job(
    server: RehearsalApiframe, caller: Caller, clock: ManualClock, receiver: Receiver
) -> None:
    lora = await make_ready_lora(caller, clock)
    server.faults.answers.webhook_status_sent = True
    _, submitted = await caller.generate(lora, webhookUrl=receiver.url)
    clock.pass_s(20)
    await receiver.wait_for(1)
    job = await look_until_announced(caller, submitted["jobId"])

    assert receiver.hints == [WebhookHint(submitted["jobId"], False, "hex")]
    assert receiver.bodies[0]["result"] == job["result"]
    assert job["webhookStatus"] == "sent"


async def test_webhook_faults_happen_once_each_in_order(
    server: RehearsalApiframe, caller: Caller, clock: ManualClock, receiver: Receiver
) -> None:
    lora = await make_ready_lora(caller, clock)
    server.faults.webhooks.queue.extend(
        [
            WebhookFault.DROP,
            WebhookFault.BAD_SIGNATURE,
            WebhookFault.MISSING_SIGNATURE,
            WebhookFault.DUPLICATE,
            WebhookFault.STRING_RESULT,
            None,
        ]
    )
    jobs = [(await caller.generate(lora, webhookUrl=receiver.url))[1]["jobId"] for _ in range(6)]
    clock.pass_s(20)

    await receiver.wait_for(6)

    by_job: dict[str, list[bool]] = {}
    for body, hint in zip(receiver.bodies, receiver.hints, strict=True):
        by_job.setdefault(body["jobId"], []).append(hint is not None)
    assert [by_job.get(job, []) for job in jobs] == [[], [False], [False], [True, True], [True], [True]]
    results = {body["jobId"]: body["result"] for body in receiver.bodies}
    assert isinstance(results[jobs[4]], str)
    assert isinstance(results[jobs[5]], dict)


async def test_delayed_webhook_is_overtaken(
    server: RehearsalApiframe, caller: Caller, clock: ManualClock, receiver: Receiver
) -> None:
    lora = await make_ready_lora(caller, clock)
    server.faults.webhooks.queue.append(WebhookFault.DELAY)
    jobs = [(await caller.generate(lora, webhookUrl=receiver.url))[1]["jobId"] for _ in range(2)]
    clock.pass_s(20)
    await receiver.wait_for(1)

    server.release()
    await receiver.wait_for(1)

    assert [body["jobId"] for body in receiver.bodies] == jobs[::-1]


async def test_receiver_that_is_not_there_only_leaves_a_note(
    server: RehearsalApiframe, caller: Caller, clock: ManualClock
) -> None:
    lora = await make_ready_lora(caller, clock)
    _, submitted = await caller.generate(lora, webhookUrl="http://127.0.0.1:9/hook")
    clock.pass_s(20)

    job = await look_until_announced(caller, submitted["jobId"])

    assert job["webhookStatus"] == "failed"
    assert server.deliveries[0].status is None
