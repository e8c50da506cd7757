"""A seccomp filter as classic BPF: system calls that no reader needs answer with an error."""

from __future__ import annotations

import errno
import platform
import struct
from dataclasses import dataclass

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, FAIL, KILL = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER_OFFSET, ARCHITECTURE_OFFSET, FIRST_ARGUMENT_OFFSET = 0, 4, 16
NEW_NAMESPACES = 0x7E020080
NEW_THREAD = 0x00010000
X32_BIT = 0x40000000
INSTRUCTION = struct.Struct("=HBBI")


@dataclass(frozen=True)
class Machine:
    """What a processor family calls its system calls by."""

    architecture: int
    clone: int
    fork: tuple[int, ...]
    execute: tuple[int, ...]
    socket: int
    denied: tuple[int, ...]


# Numbers above 400 are the same on both families.
COMMON = (425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 442, 447)
MACHINES = {
    "x86_64": Machine(
        architecture=0xC000003E,
        clone=56,
        fork=(57, 58),
        execute=(59, 322),
        socket=41,
        # memfd_create, shm*, sem*, msg*, mq_open, ptrace, process_vm_*, kcmp, mounts, chroot, unshare, setns,
        # keys, bpf, perf, userfaultfd, modules, handles, mknod*, personality, swap, reboot, acct, quotactl
        denied=(
            319,
            29,
            30,
            31,
            67,
            64,
            65,
            66,
            220,
            68,
            69,
            70,
            71,
            240,
            101,
            310,
            311,
            312,
            165,
            166,
            155,
            161,
            272,
            308,
            248,
            249,
            250,
            321,
            298,
            323,
            175,
            176,
            313,
            246,
            303,
            304,
            133,
            259,
            135,
            167,
            169,
            163,
            179,
        ),
    ),
    "aarch64": Machine(
        architecture=0xC00000B7,
        clone=220,
        fork=(),
        execute=(221, 281),
        socket=198,
        denied=(
            279,
            194,
            195,
            196,
            197,
            190,
            191,
            192,
            193,
            186,
            187,
            188,
            189,
            180,
            117,
            270,
            271,
            272,
            40,
            39,
            41,
            51,
            97,
            268,
            217,
            218,
            219,
            280,
            241,
            282,
            105,
            106,
            273,
            104,
            264,
            265,
            33,
            92,
            224,
            142,
            89,
            60,
        ),
    ),
}
CLONE3 = 435


def program(*, alone: bool, machine: str = "") -> bytes:
    """The filter's bytes; ``alone`` also forbids new processes and programs, threads stay allowed.

    Clone flags can be looked at, the block that clone3 points to cannot: clone3 answers ENOSYS, and
    C libraries then fall back to clone.
    """
    numbers = MACHINES[machine or platform.machine()]
    lines = [
        instruction(LOAD, ARCHITECTURE_OFFSET),
        instruction(JUMP_EQUAL, numbers.architecture, when_true=1),
        instruction(RETURN, KILL),
        instruction(LOAD, NUMBER_OFFSET),
        *deny(JUMP_AT_LEAST, X32_BIT, errno.ENOSYS),
        *deny(JUMP_EQUAL, CLONE3, errno.ENOSYS),
    ]
    forbidden = (*COMMON, *numbers.denied, numbers.socket)
    if alone:
        forbidden += numbers.fork + numbers.execute
    for number in forbidden:
        lines += deny(JUMP_EQUAL, number, errno.EPERM)
    lines += clone_rule(numbers.clone, alone=alone)
    return b"".join([*lines, instruction(RETURN, ALLOW)])


def clone_rule(number: int, *, alone: bool) -> list[bytes]:
    """clone without new namespaces; alone, only for threads."""
    checks = deny(JUMP_ANY_BIT, NEW_NAMESPACES & ~0x80, errno.EPERM)
    if alone:
        checks += [
            instruction(JUMP_ANY_BIT, NEW_THREAD, when_true=1),
            instruction(RETURN, FAIL | errno.EPERM),
        ]
    body = [instruction(LOAD, FIRST_ARGUMENT_OFFSET), *checks]
    return [instruction(JUMP_EQUAL, number, when_false=len(body)), *body]


def deny(test: int, value: int, error: int) -> list[bytes]:
    """Answer ``error`` where the test holds, else go on."""
    return [instruction(test, value, when_false=1), instruction(RETURN, FAIL | error)]


def instruction(code: int, value: int, *, when_true: int = 0, when_false: int = 0) -> bytes:
    """One BPF instruction."""
    return INSTRUCTION.pack(code, when_true, when_false, value)
