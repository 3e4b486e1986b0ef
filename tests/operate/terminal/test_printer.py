import threading

from hub.operate.terminal.printer import Printer


def lost(count):
    return f"{count} lost"


def test_lines_come_out_in_the_order_they_were_put():
    out = []
    printer = Printer(out.append, lost)
    for number in range(100):
        printer.put(str(number))
    printer.close()
    assert out == [str(number) for number in range(100)]


def test_a_writer_that_hangs_makes_nobody_wait_and_what_it_missed_is_counted():
    out, entered, release = [], threading.Event(), threading.Event()

    def write(line):
        entered.set()
        release.wait(30)
        out.append(line)

    printer = Printer(write, lost, held=3)
    printer.put("0")
    assert entered.wait(30)
    for number in range(1, 11):
        printer.put(str(number))  # returns although nothing is written
    release.set()
    printer.close(30)
    assert out == ["0", "1", "2", "3", "7 lost"]


def test_a_closed_pipe_is_known_and_later_lines_go_nowhere():
    def write(line):
        raise BrokenPipeError

    printer = Printer(write, lost)
    printer.put("x")
    for _ in range(100):
        printer.put("y")
    printer.close()
    assert printer.broken
