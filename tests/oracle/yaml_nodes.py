"""What PyYAML makes of texts: a list of texts comes in as JSON, and a list of results goes out.

A result is the line of an error, or the nodes of all documents in order: line, kind (`scalar`, `list`, `map`) and text.
A node that an alias stands for comes once. Tags are let be: Ansible knows more of them than YAML does.
"""

import json
import sys

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def nodes(text):
    found, seen = [], set()

    def add(node):
        if id(node) in seen:
            return
        seen.add(id(node))
        line = node.start_mark.line + 1
        if isinstance(node, yaml.ScalarNode):
            found.append([line, "scalar", node.value])
        elif isinstance(node, yaml.SequenceNode):
            found.append([line, "list", ""])
            for item in node.value:
                add(item)
        else:
            found.append([line, "map", ""])
            for key, value in node.value:
                add(key)
                add(value)

    # The documents stay in memory until all are seen, so that no two nodes have one identity.
    for document in list(yaml.compose_all(text, LOADER)):
        if document is not None:
            add(document)
    return found


def result(text):
    try:
        return nodes(text)
    except yaml.MarkedYAMLError as error:
        return (error.problem_mark or error.context_mark).line + 1
    except yaml.YAMLError:
        return 0
    except RecursionError:
        return -1


json.dump([result(text) for text in json.load(sys.stdin)], sys.stdout)
