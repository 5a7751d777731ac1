"""What `make image` carries out is the first stage of the Dockerfile, on the files that Docker would be sent."""

from tests.install.image import first_stage, instructions, sent_to_docker


def test_docker_is_sent_the_program_without_its_sandbox() -> None:
    sent = {name.as_posix() for name in sent_to_docker()}
    assert sent >= {
        "bot/policy.md",
        "bot/storage/migrations/env.py",
        "cogs/__init__.py",
        "requirements.lock",
        "LICENSE",
    }
    assert [name for name in sent if name.startswith(("bot/sandbox", "tests", ".")) or name.endswith(".pyc")] == []


def test_the_first_stage_has_nothing_that_cannot_be_carried_out() -> None:
    steps = first_stage()
    assert {word for word, _ in steps} == {"WORKDIR", "COPY", "RUN"}
    assert steps[0] == ("WORKDIR", "/build")


def test_lines_that_go_on_are_one_instruction() -> None:
    assert instructions("# why\nRUN a \\\n    && b\ncopy c d\n") == [("RUN", "a  && b"), ("COPY", "c d")]
