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
from tests.support.authority import LOOPBACK, Authority
from tests.support.nats_tls import write_tls

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
def test_kubernetes_manifests_are_valid(each: dict[str, Any]) -> None:
    """Strictly: an unknown field is an error."""
    kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)


def test_compose_file_is_valid() -> None:
    """By the schema of the Compose specification."""
    checked = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout


def test_nats_configuration_is_valid(tmp_path: Path) -> None:
    """Checked by the NATS server itself; acknowledged messages are synced to disk, and certificates are required."""
    configuration = (KUBERNETES / "nats.conf").read_text()
    mine = tmp_path / "nats.conf"
    write_tls(tmp_path / "tls", Authority(), LOOPBACK)
    mine.write_text(
        configuration.replace("/data", str(tmp_path)).replace("/etc/nats/tls", str(tmp_path / "tls"))
    )

    assert "sync_interval: always" in configuration
    assert configuration.count("verify: true") == configuration.count("ca_file: ") == 2
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
def test_the_headless_service_selects_the_pods(workload: dict[str, Any]) -> None:
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
def test_each_variable_is_an_option_of_milepost(where: str, environment: dict[str, str]) -> None:
    """Each variable belongs to an option, which accepts its value; files are there when a server runs with them."""
    known = {option.envvar for option in serve.params}
    assert set(environment) <= known, where

    context = serve.make_context("serve", [], auto_envvar_prefix=None, resilient_parsing=True)
    for option in serve.params:
        value = environment.get(str(option.envvar))
        if value is not None and not value.startswith("/"):
            option.type_cast_value(context, value)


@pytest.mark.parametrize("workload", of_kind("StatefulSet"), ids=name_of)
def test_pods_have_no_privileges(workload: dict[str, Any]) -> None:
    """No root, nothing writable but volumes, no capabilities, no way to more, no token of the cluster."""
    pod = workload["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert {
        name: pod["securityContext"][name] for name in ("runAsNonRoot", "runAsUser", "seccompProfile")
    } == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"hostNetwork", "hostPID", "hostIPC"} & set(pod) == set()


@pytest.mark.parametrize("workload", of_kind("StatefulSet"), ids=name_of)
def test_network_policies_name_the_ports_of_the_pods(workload: dict[str, Any]) -> None:
    """Both ways; the ports that it names are the container's, and health is for the kubelet alone."""
    (policy,) = [
        each for each in of_kind("NetworkPolicy") if each["metadata"]["name"] == workload["metadata"]["name"]
    ]
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    labels = workload["spec"]["template"]["metadata"]["labels"]
    named = {port["name"] for port in container["ports"]}
    opened = {port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]}
    assert policy["spec"]["podSelector"] == {"matchLabels": labels}
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert opened == named - {"health", "monitor"}
    assert all(rule["from"] for rule in policy["spec"]["ingress"])


def test_containers_of_compose_have_no_privileges() -> None:
    """Nothing writable but volumes, no capabilities, no way to more; their ports are on loopback."""
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    hardened = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"]}
    for service in services.values():
        assert {name: service[name] for name in hardened} == hardened
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
        assert not service.get("privileged", False)


def test_compose_and_kubernetes_use_the_same_nats() -> None:
    """The NATS of Compose is that of Kubernetes."""
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    images = {service["image"] for name, service in compose.items() if name.startswith("nats")}
    (workload,) = [each for each in of_kind("StatefulSet") if each["metadata"]["name"] == "nats"]

    assert images == {workload["spec"]["template"]["spec"]["containers"][0]["image"]}
