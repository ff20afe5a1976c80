"""The manifests are valid by their schemas and consistent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from milepost.server.cli.serve import serve

DEPLOY = Path(__file__).parents[2] / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
BIN = Path(sys.executable).parent


def objects() -> list[dict[str, Any]]:
    """All objects that are applied."""
    files = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["resources"]
    return [each for file in files for each in yaml.safe_load_all((KUBERNETES / file).read_text())]


def of_kind(kind: str) -> list[dict[str, Any]]:
    """The objects of a kind."""
    return [each for each in objects() if each["kind"] == kind]


def name_of(each: dict[str, Any]) -> str:
    """For the ids of the tests."""
    return f"{each['kind']}-{each['metadata']['name']}"


@pytest.mark.parametrize("each", objects(), ids=name_of)
def test_kubernetes_takes_it(each: dict[str, Any]) -> None:
    """Strictly: an unknown field is an error."""
    kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)


def test_compose_takes_it() -> None:
    """By the schema of the Compose specification."""
    checked = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout


def test_nats_takes_its_configuration(tmp_path: Path) -> None:
    """Checked by the NATS server itself; acknowledged messages are synced to disk."""
    configuration = (KUBERNETES / "nats.conf").read_text()
    mine = tmp_path / "nats.conf"
    mine.write_text(configuration.replace("/data", str(tmp_path)))

    assert "sync_interval: always" in configuration
    tested = subprocess.run(
        [BIN / "nats-server", "-c", mine, "-t"], capture_output=True, text=True, check=False
    )
    assert tested.returncode == 0, tested.stderr


@pytest.mark.parametrize("budget", of_kind("PodDisruptionBudget"), ids=name_of)
def test_a_disruption_budget_leaves_two_of_three(budget: dict[str, Any]) -> None:
    """It selects the pods of the set of its name, and allows one disruption at a time."""
    (workload,) = [
        each
        for each in of_kind("StatefulSet")
        if each["metadata"] == {**each["metadata"], "name": budget["metadata"]["name"]}
    ]

    assert workload["spec"]["replicas"] == 3
    assert budget["spec"]["maxUnavailable"] == 1
    assert workload["spec"]["template"]["metadata"]["labels"] == budget["spec"]["selector"]["matchLabels"]


@pytest.mark.parametrize("workload", of_kind("StatefulSet"), ids=name_of)
def test_a_service_finds_the_pods(workload: dict[str, Any]) -> None:
    """The pods' own names come from a headless service that selects them."""
    (service,) = [
        each for each in of_kind("Service") if each["metadata"]["name"] == workload["spec"]["serviceName"]
    ]

    assert service["spec"]["clusterIP"] == "None"
    assert workload["spec"]["template"]["metadata"]["labels"] == service["spec"]["selector"]


def environments() -> dict[str, dict[str, str]]:
    """Milepost's environment variables in each manifest."""
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    found = {name: service["environment"] for name, service in compose.items() if name.startswith("milepost")}
    (workload,) = [each for each in of_kind("StatefulSet") if each["metadata"]["name"] == "milepost"]
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    found["kubernetes"] = {each["name"]: each["value"] for each in container["env"]}
    return found


@pytest.mark.parametrize(("where", "environment"), environments().items())
def test_what_milepost_is_told_are_options_of_it(where: str, environment: dict[str, str]) -> None:
    """Each variable belongs to an option, which accepts its value."""
    known = {option.envvar for option in serve.params}
    assert set(environment) <= known, where

    context = serve.make_context("serve", [], auto_envvar_prefix=None, resilient_parsing=True)
    for option in serve.params:
        if option.envvar in environment:
            option.type_cast_value(context, environment[str(option.envvar)])


def test_all_of_the_same_version() -> None:
    """The NATS of Compose is that of Kubernetes."""
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    images = {service["image"] for name, service in compose.items() if name.startswith("nats")}
    (workload,) = [each for each in of_kind("StatefulSet") if each["metadata"]["name"] == "nats"]

    assert images == {workload["spec"]["template"]["spec"]["containers"][0]["image"]}
