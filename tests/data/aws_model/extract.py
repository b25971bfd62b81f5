"""Writes shapes.json: the facts of AWS's service models that src/aws describes.

    python3 tests/data/aws_model/extract.py DIRECTORY_WITH_THE_MODELS

The models are those of botocore (service-2.json), one file a service, named ec2.json, s3.json, ssm.json, sts.json. Only
names, types and, of REST services, places in HTTP messages are kept. Add a service's shape to WANTED when src/aws begins to describe it.
"""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
SOURCES = HERE.parents[2] / "src" / "aws"


def described(service):
    """The names that the sources of one service describe."""
    text = "".join(p.read_text() for p in sorted((SOURCES / service).glob("*.hpp")))
    return sorted(set(re.findall(r'describe\(\s*"(\w+)"', text)) - {"Return", "Nothing"})


def is_rest(model):
    return model["metadata"]["protocol"] == "rest-xml"


def facts(model, name):
    shape = model["shapes"][name]
    members = {}
    for member, reference in shape.get("members", {}).items():
        target = model["shapes"][reference["shape"]]
        entry = {"location": reference.get("locationName", member), "type": target["type"]}
        if target["type"] == "structure":
            entry["target"] = reference["shape"]
        if target["type"] == "list":
            item = target["member"]["shape"]
            entry["item_type"] = model["shapes"][item]["type"]
            if entry["item_type"] == "structure":
                entry["target"] = item
            if target.get("flattened"):
                entry["flattened"] = True
            elif is_rest(model) and "locationName" in target["member"]:
                entry["item"] = target["member"]["locationName"]
        if "location" in reference:
            entry["place"] = reference["location"]
        if shape.get("payload") == member:
            entry["place"] = "payload"
        members[member] = entry
    return members


def http(model, operation):
    """Of a REST service: what an operation's requests and answers look like."""
    if not is_rest(model):
        return {}
    asked = operation["http"]
    checked = operation.get("httpChecksum", {}).get("requestChecksumRequired", False)
    return {"method": asked["method"], "uri": asked["requestUri"], "status": asked.get("responseCode", 200),
            "needs_check": checked}


def main(directory):
    out = {}
    for service in ("ec2", "s3", "ssm", "sts"):
        model = json.loads((pathlib.Path(directory) / f"{service}.json").read_text())
        out[service] = {
            "api_version": model["metadata"]["apiVersion"],
            "protocol": model["metadata"]["protocol"],
            "shapes": {name: facts(model, name) for name in described(service)},
            "operations": {
                name: {
                    "input": operation.get("input", {}).get("shape", ""),
                    "output": operation.get("output", {}).get("shape", ""),
                    **http(model, operation),
                }
                for name, operation in sorted(model["operations"].items())
                if operation.get("input", {}).get("shape", "") in described(service)
            },
        }
    text = json.dumps(out, indent=1, sort_keys=True)
    (HERE / "shapes.json").write_text(text + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
