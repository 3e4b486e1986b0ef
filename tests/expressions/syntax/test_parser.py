import pytest

from hub.errors import CompileError
from hub.expressions import evaluate
from hub.expressions.syntax.ast import Call, Conditional, Logic, Operation, Select
from hub.expressions.syntax.lexer import tokenize
from hub.expressions.syntax.parser import parse


def shape(node):  # noqa: PLR0911 - one way for each kind of node
    """Write a tree with brackets."""
    match node:
        case Operation() if len(node.operands) == 2:
            return f"({shape(node.operands[0])} {node.operator} {shape(node.operands[1])})"
        case Operation():
            return f"({node.operator}{shape(node.operands[0])})"
        case Logic():
            return "(" + f" {node.operator} ".join(map(shape, node.operands)) + ")"
        case Conditional():
            return f"({shape(node.test)} ? {shape(node.then)} : {shape(node.other)})"
        case Select():
            return f"{shape(node.operand)}.{node.field}"
        case Call():
            return f"{node.function}({', '.join(map(shape, node.arguments))})"
    return str(getattr(node, "name", getattr(node, "value", "?")))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a + b * c", "(a + (b * c))"),
        ("a - b - c", "((a - b) - c)"),
        ("a || b && c || d", "(a || (b && c) || d)"),
        ("a && b && c && d", "(a && b && c && d)"),
        ("(a && b) && c", "((a && b) && c)"),
        ("a && (b && c)", "(a && (b && c))"),
        ("a < b == c", "((a < b) == c)"),
        ("a in b + c", "(a in (b + c))"),
        ("!a.b && -c.d < 1", "((!a.b) && ((-c.d) < 1))"),
        ("--a", "(-(-a))"),
        ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
        ("a ? (b ? c : d) : e", "(a ? (b ? c : d) : e)"),
        ("-1", "-1"),
        ("-x", "(-x)"),
        ("2-1", "(2 - 1)"),
        ("a. b\n.c // the end", "a.b.c"),
    ],
)
def test_operators_bind_as_the_grammar_says(text, tree):
    assert shape(parse(text)) == tree


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("", 0, "empty"),
        ("  ", 0, "empty"),
        ("a +", 3, "ends where a value"),
        ("a b", 2, "an operator or the end"),
        ("a and b", 2, "an operator or the end"),
        ("(a", 2, r"'\)'"),
        ("a)", 1, "an operator or the end"),
        ("[1, 2", 5, "ends where"),
        ("{'a' 1}", 5, "':'"),
        ("f(1,,2)", 4, "a value"),
        ("a ? b", 5, "':'"),
        ("a = 1", 2, "not part"),
        ("'abc", 0, "does not end"),
        ("'a\nb'", 0, "does not end"),
        ("'a\\", 0, "does not end"),
        ("'\\q'", 1, "escape"),
        ("'\\ud800'", 1, "escape"),
        ("b'\\u0041'", 2, "escape"),
        ("9223372036854775808", 0, "64 bits"),
        ("18446744073709551616u", 0, "64 bits"),
        ("5x", 1, "behind a number"),
        ("1.5.2", 3, "an operator or the end"),
        ("for == 1", 0, "reserved"),
        ("Foo{a: 1}", 3, "messages"),
        ("`a`", 0, "backticks"),
        ("a.1", 1, "an operator or the end"),
        ("a.true", 2, "no name"),
        ("a.in", 2, "no name"),
        ("a ? b ? c : d : e", 6, "':'"),
        ("[].all(1, true)", 7, "variable"),
        ("[].all(x, x, true)", 10, "twice"),
        ("has(a)", 4, "member"),
        ("has(a.b, 1)", 0, "one member"),
        ("101w9", 3, "behind a number"),
        ("40000d", 0, "hundred years"),
    ],
)
def test_what_is_no_expression_is_refused_at_its_place(text, offset, message):
    with pytest.raises(CompileError, match=message) as caught:
        parse(text)
    assert caught.value.offset == offset
    assert caught.value.text == text


def test_the_smallest_int_can_be_written_and_the_largest_cannot_be_passed():
    assert evaluate("-9223372036854775808") == -(2**63)
    assert evaluate("9223372036854775807") == 2**63 - 1
    with pytest.raises(CompileError):
        evaluate("-(9223372036854775808)")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"'\a\b\f\n\r\t\v\\\?\"\'\`'", "\a\b\f\n\r\t\v\\?\"'`"),
        (r"'\x41\X42\103\u0044\U00000045'", "ABCDE"),
        (r"b'\377\xfeé'", b"\xff\xfe\xc3\xa9"),
        (r"r'\n'", "\\n"),
        (r"Rb'\n'", b"\\n"),
        ("'''a'b\n\"c'''", "a'b\n\"c"),
        ('r"""\\"""', "\\"),
        ("b''''''", b""),
        ("'é' + \"☃\"", "é☃"),
    ],
)
def test_a_string_is_read_with_its_escapes(text, value):
    assert evaluate(text) == value


def test_tokens_know_their_offsets():
    assert [(token.text, token.at) for token in tokenize("a.?b // x\n>= 5m")] == [
        ("a", 0), (".?", 1), ("b", 3), (">=", 10), ("5m", 13), ("", 15)
    ]  # fmt: skip
