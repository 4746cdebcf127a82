"""Which passwords and usernames are taken, and that each has one form."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from handshaker.errors import (
    PasswordRefused,
    UsernameRefused,
)
from handshaker.passwords import AT_ONCE, Passwords, normal_username, require_strong, usable_username


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("elevenchars", "too-short"),
        ("x" * 201, "too-long"),
        ("my name is Nurse-1!", "username"),
        ("handshaker2026", "obvious"),
        ("Blockchain-Hospital-1", "obvious"),
        ("password12345", "obvious"),
        ("aaaaaaaaaaaaaaaa", "obvious"),
        ("123456789012", "obvious"),
        ("administrator!", "obvious"),
    ],
)
def test_weak_passwords_are_refused_with_what_is_wrong(password: str, problem: str) -> None:
    with pytest.raises(PasswordRefused) as caught:
        require_strong(password, "nurse-1")
    assert caught.value.data["problem"] == problem
    assert password not in str(caught.value)


@pytest.mark.parametrize(
    "password",
    ["seven lilac umbrellas", "Tr0ub4dor&3xyz", "пароль из слов", "x7#Kq9!vLm2$", "早上好我喜欢吃很多苹果派"],
)
def test_other_passwords_are_taken(password: str) -> None:
    require_strong(password, "nurse-1")


@given(st.text(min_size=1, max_size=30))
def test_a_username_has_one_form_however_it_is_typed(text: str) -> None:
    try:
        username = usable_username(text)
    except UsernameRefused:
        return
    assert usable_username(username.upper()) == username == normal_username(f" {username} ")


@pytest.mark.parametrize(
    "text", ["", "x", "two words", "../up", "a" * 65, "näme", "-dash", "mail@example.org", "a\x00b"]
)
def test_what_no_username_can_be_is_refused(text: str) -> None:
    with pytest.raises(UsernameRefused):
        usable_username(text)


def test_a_password_is_the_same_however_the_keyboard_composed_it() -> None:
    passwords = Passwords(PasswordHasher(1, 8, 1))
    kept = passwords.hash("cafe\u0301 au lait noir")
    assert passwords.is_right("café au lait noir", kept)
    assert passwords.secret("cafe\u0301 au lait noir", kept) == passwords.secret("café au lait noir", kept)
    assert not passwords.is_right("\ud800 broken text here", kept), "also what is no text at all"


class Crowd(PasswordHasher):
    """Hashes only as soon as ``AT_ONCE`` are there, and counts how many came in meanwhile."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.most = self._inside = 0
        self._count = threading.Lock()
        self._full = threading.Barrier(AT_ONCE, timeout=30)

    def verify(self, *arguments: Any) -> Any:
        with self._count:
            self._inside += 1
            self.most = max(self.most, self._inside)
        self._full.wait()
        try:
            return super().verify(*arguments)
        finally:
            with self._count:
                self._inside -= 1


def test_however_many_log_in_at_once_a_few_passwords_at_a_time_take_memory() -> None:
    crowd = Crowd()
    passwords = Passwords(crowd)
    kept = passwords.hash("four words say enough")
    guesses = [threading.Thread(target=passwords.is_right, args=("a guess", kept)) for _ in range(AT_ONCE * 4)]
    for guess in guesses:
        guess.start()
    for guess in guesses:
        guess.join()
    assert crowd.most == AT_ONCE
