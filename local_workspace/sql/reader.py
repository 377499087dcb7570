"""Reads statements that are no queries word by word, with the places of their parts in the text."""

from __future__ import annotations

import re

from sqlglot.tokenizer_core import Token, TokenType

from local_workspace.sql import errors
from local_workspace.sql.model import Parameter

_WORD = re.compile(r"\w+\Z")
_QUOTED = frozenset({TokenType.STRING, TokenType.IDENTIFIER})


class Reader:
    """A place in a statement's tokens. Keywords are compared in upper case; quoted words are never keywords."""

    def __init__(self, text: str, tokens: list[Token], given: tuple[Parameter, ...] = ()) -> None:
        self.text = text
        self._tokens = [word for token in tokens for word in _words(token)]
        self._given = {item.name.lower(): item for item in given if item.name}
        self._place = 0

    @property
    def ended(self) -> bool:
        """Whether every token was read."""
        return self._place >= len(self._tokens)

    def peek(self, ahead: int = 0) -> str:
        """The keyword or sign at the place, upper case; empty at the end and for quoted words."""
        place = self._place + ahead
        if place >= len(self._tokens) or self._tokens[place].token_type in _QUOTED:
            return ""
        return self._tokens[place].text.upper()

    def accept(self, *words: str) -> bool:
        """Step over the words when they come next, all of them."""
        if all(self.peek(ahead) == word for ahead, word in enumerate(words)):
            self._place += len(words)
            return True
        return False

    def one_of(self, *words: str) -> str:
        """Step over one of the words when it comes next; it, or an empty text."""
        word = self.peek()
        if word in words:
            self._place += 1
            return word
        return ""

    def expect(self, *words: str) -> None:
        """Step over the words.

        Raises:
            SqlError: PARSE_SYNTAX_ERROR when something else comes.
        """
        for word in words:
            if not self.accept(word):
                raise self.fault()

    def fault(self) -> Exception:
        """A syntax error at the place."""
        near = self._tokens[self._place].text if not self.ended else ""
        return errors.syntax(self.text, near)

    def end(self) -> None:
        """Demand that nothing follows.

        Raises:
            SqlError: something follows.
        """
        if not self.ended:
            raise self.fault()

    def skip(self) -> None:
        """Step over one token.

        Raises:
            SqlError: there is none.
        """
        if self.ended:
            raise self.fault()
        self._place += 1

    def name(self) -> str:
        """Step over one identifier.

        Raises:
            SqlError: something else follows.
        """
        if self.ended:
            raise self.fault()
        token = self._tokens[self._place]
        if token.token_type != TokenType.IDENTIFIER and (
            token.token_type == TokenType.STRING or not _WORD.match(token.text)
        ):
            raise self.fault()
        self._place += 1
        return str(token.text)

    def parts(self) -> list[str]:
        """Step over a name of one level or more, also ``IDENTIFIER('a.b')`` and ``IDENTIFIER(:name)``."""
        if self.peek() == "IDENTIFIER" and self.peek(1) == "(":
            return self._identifier_clause()
        names = [self.name()]
        while self.accept("."):
            names.append(self.name())
        return names

    def _identifier_clause(self) -> list[str]:
        self._place += 2
        if self.accept(":"):
            wanted = self.name()
            item = self._given.get(wanted.lower())
            if item is None:
                raise errors.unbound(wanted)
            text = item.value or ""
        else:
            text = self.string()
        self.expect(")")
        return split_name(text)

    def string(self) -> str:
        """Step over a string literal; neighbours are one literal.

        Raises:
            SqlError: something else follows.
        """
        if self.ended or self._tokens[self._place].token_type != TokenType.STRING:
            raise self.fault()
        made = ""
        while not self.ended and self._tokens[self._place].token_type == TokenType.STRING:
            made += self._tokens[self._place].text
            self._place += 1
        return made

    def is_string(self) -> bool:
        """Whether a string literal comes next."""
        return not self.ended and self._tokens[self._place].token_type == TokenType.STRING

    def name_list(self) -> list[str]:
        """Step over ``(a, b, …)``, possibly empty."""
        self.expect("(")
        names: list[str] = []
        while not self.accept(")"):
            names.append(self.name())
            if self.peek() != ")":
                self.expect(",")
        return names

    def until(self, *stops: str) -> str:
        """The text up to one of the keywords outside of brackets, or to the end of the enclosing bracket.

        Raises:
            SqlError: nothing stands there.
        """
        first, depth = self._place, 0
        while not self.ended:
            word = self.peek()
            if depth == 0 and (word in stops or word in (")", ",")):
                break
            depth += {"(": 1, "<": 1, "[": 1, ")": -1, ">": -1, "]": -1}.get(word, 0)
            self._place += 1
        if self._place == first:
            raise self.fault()
        return self.text[self._tokens[first].start : self._tokens[self._place - 1].end + 1]

    def rest(self) -> str:
        """The text from the place to the end; everything is read then.

        Raises:
            SqlError: nothing follows.
        """
        if self.ended:
            raise self.fault()
        made = self.text[self._tokens[self._place].start : self._tokens[-1].end + 1]
        self._place = len(self._tokens)
        return made

    def rest_tokens(self) -> list[Token]:
        """The tokens from the place on, which is kept."""
        return self._tokens[self._place :]

    def properties(self) -> dict[str, str]:
        """Step over ``('key' = 'value', key.part = value, …)``."""
        self.expect("(")
        made: dict[str, str] = {}
        while not self.accept(")"):
            key = self.string() if self.is_string() else ".".join(self.parts())
            self.accept("=")
            made[key] = self.string() if self.is_string() else self.name()
            if self.peek() != ")":
                self.expect(",")
        return made


def _words(token: Token) -> list[Token]:
    """``PRIMARY KEY`` and its like are one token of a query, but two words here."""
    words = list(re.finditer(r"\S+", token.text))
    if token.token_type in _QUOTED or len(words) < 2:
        return [token]
    return [
        Token(token.token_type, found.group(), start=token.start + found.start(), end=token.start + found.end() - 1)
        for found in words
    ]


def split_name(text: str) -> list[str]:
    """The levels of a dotted name in a text, with backquotes."""
    found = re.findall(r"`((?:[^`]|``)+)`|([^.`]+)", text)
    return [quoted.replace("``", "`") or plain for quoted, plain in found]
