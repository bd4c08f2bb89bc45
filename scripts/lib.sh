# Shared by the scripts beside it: where things are, what is missing, minutes per part.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
bin=$root/.build-bin # the built programs, side by side as nexusd expects them

build_packages=(git binutils libc6-dev libgcc-12-dev libstdc++-12-dev zlib1g-dev libcurl4-openssl-dev libsqlite3-dev
  libsodium-dev libssl-dev libqrencode-dev libcmark-gfm-dev libcmark-gfm-extensions-dev)
test_packages=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross python3 python3-venv iproute2 util-linux curl procps systemd-container systemd-sysv dbus tmux zbar-tools openssl
  chromium fonts-dejavu-core node-typescript)
webkit_packages=(webkit2gtk-driver xvfb) # with --long only: 50 MB, half a minute

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# need PACKAGE…: installs what dpkg does not know, as root, through sudo, or by naming the one command.
need() {
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null)" = "install ok installed" ] || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  local command=(apt-get install -y -q --no-install-recommends "${missing[@]}")
  if [ "$(id -u)" = 0 ]; then
    say "Installing: ${missing[*]}"
    # The services these packages bring are not wanted here: policy-rc.d would forbid them, but only root's own machine may be changed that far.
    apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive "${command[@]}" >/dev/null || die "Could not install: ${missing[*]}"
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    say "Installing with sudo: ${missing[*]}"
    sudo apt-get update -q >/dev/null && sudo DEBIAN_FRONTEND=noninteractive "${command[@]}" >/dev/null || die "Could not install: ${missing[*]}"
  else
    die "These packages are missing: ${missing[*]}
Install them, then start this again:
    sudo apt-get update && sudo ${command[*]}"
  fi
}

need_swift() {
  command -v swift >/dev/null || die "No Swift toolchain on PATH. Nexus needs Swift 6.3: https://www.swift.org/install/linux/"
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -1)
  [ "$(printf '%s\n6.3\n' "$version" | sort -V | head -1)" = 6.3 ] || die "Swift $version is on PATH; Nexus needs 6.3 or newer: https://www.swift.org/install/linux/"
}

# part NAME COMMAND…: runs it, says how long it took, remembers failures.
failed=()
part() {
  local name=$1 start=$SECONDS status=0
  shift
  printf '\n== %s\n' "$name"
  "$@" || status=$?
  local took=$((SECONDS - start))
  printf -- '-- %s: %s in %d.%d min\n' "$name" "$([ $status = 0 ] && echo ok || echo "FAILED ($status)")" $((took / 60)) $((took % 60 * 10 / 60))
  summary+=("$(printf '%5d s  %-7s %s' "$took" "$([ $status = 0 ] && echo ok || echo FAILED)" "$name")")
  [ $status = 0 ] || failed+=("$name")
  return 0
}
summary=()
skip() { printf -- '-- skipped: %s (%s)\n' "$1" "$2"; summary+=("$(printf '%7s  %-7s %s: %s' - skipped "$1" "$2")"); }
