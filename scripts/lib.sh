# Shared by the scripts beside it; to be sourced, not run.

fail() {
    echo "error: $*" >&2
    exit 1
}

is_debian() {
    [[ -r /etc/os-release ]] || return 1
    local ID="" ID_LIKE=""
    source /etc/os-release
    [[ " $ID $ID_LIKE " =~ " "(debian|ubuntu)" " ]] && command -v dpkg-query >/dev/null
}

# "6.3.1" of "Swift version 6.3.1 (swift-6.3.1-RELEASE)"; nothing when there is no such line.
swift_version() {
    swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+(\.[0-9]+)*).*/\1/p' | head -n 1
}

# at_least FOUND NEEDED: whether one dotted version is not older than the other.
at_least() {
    [[ -n "$1" ]] && [[ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" == "$2" ]]
}

installed() {
    [[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

installed_version() {
    dpkg-query -W -f '${Version}' "$1" 2>/dev/null || true
}

# The version apt would install; nothing when it knows no such package.
candidate_version() {
    apt-cache policy "$1" | sed -nE 's/^ *Candidate: ([^(].*)$/\1/p'
}

as_root() {
    if [[ "$(id -u)" == 0 ]]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "installing packages needs root and there is no sudo here. Run as root: $*"
    fi
}

update_package_lists() {
    [[ -n "${package_lists_updated:-}" ]] && return
    as_root apt-get update -qq </dev/null || fail "apt-get update failed; is there a network?"
    package_lists_updated=1
}

# ensure_packages NAME...: installs those that are missing. Quiet and quick when none is.
ensure_packages() {
    local name missing=()
    for name in "$@"; do
        installed "$name" || missing+=("$name")
    done
    [[ ${#missing[@]} -gt 0 ]] || return 0
    echo "Installing ${missing[*]}"
    update_package_lists
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null \
        || fail "apt-get could not install ${missing[*]}."
}

# build_dependent FOLDER PROGRAM: builds the program of a package that depends on this one. It takes part in
# this one's release build, so that only what is its own is compiled. To be called at the root.
build_dependent() {
    # With other versions of a package, that would be built again for both in turn.
    [[ ! -e Package.resolved ]] || cp Package.resolved "$1/"
    swift build -c release --package-path "$1" --scratch-path .build --product "$2"
}
