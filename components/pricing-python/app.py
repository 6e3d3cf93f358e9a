"""Between the contract and the rule: `shop:pricing/policy` as a component in Python.

The bindings, `wit_world` and `componentize_py_types`, are generated while the component is built.
"""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import policy as contract

import policy


# The class must be named after the interface: that is how it is found.
class Policy(exports.Policy):
    """The exported interface."""

    def adjust(self, lines: list[contract.Line], tier: contract.Tier) -> list[contract.Adjustment]:
        """Lifts and lowers; an error result is raised as `Err`."""
        try:
            adjustments = policy.adjust(lines, tier.name.lower())
        except policy.InvalidLine as refusal:
            raise Err(contract.Refusal_InvalidLine(refusal.index))
        except policy.TooManyLines as refusal:
            raise Err(contract.Refusal_TooManyLines(refusal.count))
        except policy.TooLarge:
            raise Err(contract.Refusal_TooLarge())
        return [contract.Adjustment(each.line, each.reason, each.amount) for each in adjustments]
