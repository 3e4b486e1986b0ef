#!/bin/sh
# Set-up that `make demo` and `make test` do by themselves: a virtual environment with the hub, and Mosquitto; for the
# tests of queues, of the HTTP API and of the web page, the programs they speak to (without them those tests are skipped,
# and say so).
# usage: setup.sh venv PYTHON DIR | setup.sh mosquitto | setup.sh servers [DIR]
set -eu

say() { printf '%s\n' "$*" >&2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then sudo "$@"
    elif command -v sudo >/dev/null 2>&1 && [ -t 0 ]; then say "sudo is needed for: $*"; sudo "$@"
    else return 1
    fi
}

install() { # PACKAGE: with apt or brew, else say what to do
    if command -v apt-get >/dev/null 2>&1; then
        as_root apt-get -qq update >/dev/null 2>&1 || true
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$1" >/dev/null 2>&1 && return
    elif command -v brew >/dev/null 2>&1; then
        brew install -q "$1" >/dev/null && return
    fi
    say "$1 is missing and could not be installed: run 'apt-get install $1' (or your system's way) as root, then again"
    return 1
}

ensure_mosquitto() {
    command -v mosquitto >/dev/null 2>&1 || { say "installing mosquitto"; install mosquitto; }
}

ensure_servers() {
    command -v redis-server >/dev/null 2>&1 || { say "installing redis-server"; install redis-server; } || true
    command -v chromium >/dev/null 2>&1 || { say "installing chromium"; install chromium; } || true
    command -v rabbitmq-server >/dev/null 2>&1 || { say "installing rabbitmq-server"; install rabbitmq-server; } || true
    command -v tmux >/dev/null 2>&1 || { say "installing tmux"; install tmux; } || true
    command -v curl >/dev/null 2>&1 || { say "installing curl"; install curl; } || true
    ensure_program amtool prometheus-alertmanager
    ensure_program prometheus-alertmanager prometheus-alertmanager usr/share/prometheus/alertmanager
    ensure_program prometheus prometheus
    ensure_program promtool prometheus
}

# Programs that only tests run come out of their packages into the virtual environment: no service, no other packages.
ensure_program() { # PROGRAM PACKAGE [FOLDER]: what the program reads where its package puts it
    [ -x "$VENV/bin/$1" ] && { [ -z "${3:-}" ] || [ -e "/$3" ]; } && return
    command -v apt-get >/dev/null 2>&1 || { say "$1 is missing: its tests are skipped (it is in Debian's package $2)"; return; }
    say "fetching $1"
    unpacked=$(mktemp -d)
    (
        cd "$unpacked"
        as_root apt-get -qq update >/dev/null 2>&1 || true
        apt-get -qq download "$2" >/dev/null 2>&1 && dpkg-deb -x ./*.deb . && cp "usr/bin/$1" "$VENV/bin/"
        [ -z "${3:-}" ] || [ -e "/$3" ] || { as_root mkdir -p "/${3%/*}" && as_root cp -r "$3" "/$3"; }
    ) || say "$1 could not be fetched: its tests are skipped (it is in Debian's package $2)"
    rm -rf "$unpacked"
}

ensure_venv() { # PYTHON DIR
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { say "Python 3.11 or newer is needed; this is $("$1" -V)"; exit 1; }
    if ! "$1" -c 'import ensurepip, venv' 2>/dev/null; then
        say "installing python3-venv"
        install "python$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    fi
    [ -x "$2/bin/pip" ] || { say "making $2"; "$1" -m venv "$2"; }
    say "installing the hub and what it needs into $2"
    "$2/bin/pip" install -q --disable-pip-version-check -e '.[test]'
}

PATH="$PATH:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"
case "$1" in
    venv) ensure_venv "$2" "$3" ;;
    mosquitto) ensure_mosquitto ;;
    servers) VENV=$(cd "${2:-.venv}" && pwd) && ensure_servers ;;
    *) say "usage: setup.sh venv PYTHON DIR | setup.sh mosquitto | setup.sh servers [DIR]"; exit 2 ;;
esac
