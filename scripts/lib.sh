# Shared by the scripts beside it: where things are, what is missing, minutes per part.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
bin=$root/.build-bin # the built programs, side by side as nexusd expects them

build_packages=(git binutils libc6-dev libgcc-12-dev libstdc++-12-dev zlib1g-dev libcurl4-openssl-dev libsqlite3-dev
  libsodium-dev libssl-dev libqrencode-dev libcmark-gfm-dev libcmark-gfm-extensions-dev)
test_packages=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross python3 python3-venv iproute2 util-linux curl procps systemd-container systemd-sysv dbus tmux zbar-tools openssl socat zstd acl
  chromium fonts-dejavu-core node-typescript)
package_packages=(dpkg-dev binutils gzip xz-utils)
system_packages=(systemd-container debootstrap) # and lintian; with --system and --long only
webkit_packages=(webkit2gtk-driver xvfb) # with --long only: 50 MB, half a minute

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# need PACKAGE…: installs what dpkg does not know, as root, through sudo, or by naming the one command. One at a time.
need() {
  local missing=() package lock
  exec {lock}<"$root/scripts/lib.sh" && flock "$lock"
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null)" = "install ok installed" ] || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && { exec {lock}<&-; return 0; }
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
  exec {lock}<&-
}

# python_with MODULES PACKAGE…: the checks' virtual environment below the build directory, $python, in which MODULES can
# be imported. False when they are not there and PyPI cannot be reached.
python=$root/.build-python/bin/python
python_with() {
  local modules=$1 lock
  shift
  exec {lock}<"$root/scripts/checks" && flock "$lock"
  "$python" -c "import $modules" 2>/dev/null || {
    python3 -m venv "$root/.build-python" && "$root/.build-python/bin/pip" install --quiet --disable-pip-version-check "$@"
  }
  local status=$?
  exec {lock}<&-
  return $status
}

# skipped WORDS: says what is not tried here; scripts/test says it again in its last lines, since no green line proves it.
skipped() {
  say "skipped: $1"
  printf '%s\n' "$1" >>"${NEXUS_SKIPPED:-/dev/null}"
}

# set_apart: has "${apart[@]}" COMMAND… run in a network of its own, with nothing but loopback; as it is where that may not be made.
set_apart() {
  apart=()
  ! may_be_apart || apart=(unshare -n sh -c 'ip link set lo up && exec "$@"' sh)
}
may_be_apart() { unshare -n true 2>/dev/null; }

# For debug builds that are made once: each module by one compiler, which is a fifth less to compute than by one a few files.
whole_modules=(-Xswiftc -whole-module-optimization -Xswiftc -num-threads -Xswiftc 2)

need_swift() {
  command -v swift >/dev/null || die "No Swift toolchain on PATH. Nexus needs Swift 6.3: https://www.swift.org/install/linux/"
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -1)
  [ "$(printf '%s\n6.3\n' "$version" | sort -V | head -1)" = 6.3 ] || die "Swift $version is on PATH; Nexus needs 6.3 or newer: https://www.swift.org/install/linux/"
}

# part NAME COMMAND…: runs it, says how long it took, remembers failures.
failed=()
part() {
  local name=$1 start=$SECONDS status=0 spent before
  shift
  printf '\n== %s\n' "$name"
  cpu; before=$spent
  "$@" || status=$?
  cpu
  account "$name" $status $((SECONDS - start)) $((spent - before))
}
account() { # NAME STATUS SECONDS OF-CPU
  printf -- '-- %s: %s in %d.%d min\n' "$1" "$([ "$2" = 0 ] && echo ok || echo "FAILED ($2)")" $(($3 / 60)) $(($3 % 60 * 10 / 60))
  summary+=("$(printf '%5d s %5d s of CPU  %-7s %s' "$3" "$4" "$([ "$2" = 0 ] && echo ok || echo FAILED)" "$1")")
  [ "$2" = 0 ] || failed+=("$1")
}
summary=()

# What this shell's ended children have taken in `spent`, in seconds of CPU: it moves less with who else is at work than
# those of the clock. Parts beside, which are children too, are accounted for by themselves: `cpu` leaves them out.
all_cpu() {
  local stat
  read -ra stat <"/proc/$BASHPID/stat"
  spent=$(((stat[15] + stat[16]) / $(getconf CLK_TCK)))
}
cpu() {
  local name others=0 theirs
  for name in "${!besides[@]}"; do
    over "$name" && ! kill -0 "${besides[$name]}" 2>/dev/null && read -r _ _ theirs <"$(aside "$name").status" && others=$((others + theirs))
  done
  all_cpu
  spent=$((spent - others))
}

# beside NAME COMMAND…: begins a part that others run beside; `joined NAME` waits for it, prints all that it said, and
# accounts for it. Its seconds are its own, so the sum of the parts is more than the whole.
declare -A besides
aside() { printf '%s/aside-%s' "$asides" "${1//[^a-z]/-}"; }
beside() {
  local name=$1 file
  shift
  asides=${asides:-$(mktemp -d)}
  file=$(aside "$name")
  (
    start=$SECONDS status=0
    "$@" >"$file.log" 2>&1 || status=$?
    all_cpu
    echo "$status $((SECONDS - start)) $spent" >"$file.status"
  ) &
  besides[$name]=$!
}
over() { [ -f "$(aside "$1").status" ]; } # NAME: true when it has ended
joined() {
  local status=1 seconds=0 spent=0 file
  file=$(aside "$1")
  wait "${besides[$1]}"
  printf '\n== %s\n' "$1"
  cat "$file.log"
  [ -f "$file.status" ] && read -r status seconds spent <"$file.status"
  account "$1" "$status" "$seconds" "$spent"
}

# debian_kernel DIR: Debian's kernel for virtual machines there, unpacked and not installed: boot/vmlinuz-*, lib/modules.
debian_kernel() {
  ls "$1"/boot/vmlinuz-* >/dev/null 2>&1 && return 0
  local package
  package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends:/{print $2; exit}')
  mkdir -p "$1"
  (cd "$1" && apt-get download -q "$package" >/dev/null && dpkg -x linux-image-*.deb . && rm linux-image-*.deb)
}
