"""Requests that the OpenAPI document allows, and many that it does not: no 500, and no answer that it leaves out."""

from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from tests.fakes.scripted_gateway import GOOD, scripted_gateway
from tests.fakes.session import ScriptedParser

schema = schemathesis.openapi.from_asgi(
    "/openapi.json", scripted_gateway(ScriptedParser(*GOOD), access={"allow_anonymous": True})
)


@schema.parametrize()
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_conforms_to_the_document(case: Any) -> None:
    checks = [not_a_server_error, status_code_conformance, response_schema_conformance]
    case.call_and_validate(checks=checks)
