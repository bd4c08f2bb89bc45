# Sourced by scripts/image, behind scripts/lib.sh: a plain Debian 12 that boots, with the package in it and enabled. What was asked for
# (`hostname`, `size`, `more`, `cache`) and the directory `work` are scripts/image's.
# shellcheck shell=bash disable=SC2154

# Beside the package and what it depends on: an init, names and addresses by DHCP, a clock that is right, rights for workspaces.
image_packages=(systemd systemd-sysv dbus udev systemd-resolved systemd-timesyncd ca-certificates acl e2fsprogs)

# sources: "deb URI SUITE COMPONENT" of each archive of Debian 12 that apt knows here.
sources() {
  # shellcheck disable=SC2016 # apt's own names.
  apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' 'Created-By: Packages' 2>/dev/null |
    sed -nE 's/^(deb [^ ]+ bookworm(-updates|-security)? main) Debian$/\1/p' | sort -u
}

# within TREE COMMAND…: in it, with a /proc and processes of its own, which end with it.
within() {
  local tree=$1
  shift
  unshare --mount --pid --fork --kill-child --root="$tree" --mount-proc \
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C TZ=UTC DEBIAN_FRONTEND=noninteractive SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} "$@"
}

# logged WHAT COMMAND…: quiet unless it fails.
logged() {
  local what=$1
  shift
  "$@" >>"$work/log" 2>&1 || { tail -20 "$work/log" >&2; die "scripts/image: $what failed; the end of what it said is above"; }
}

# debian_tree DEB TREE
debian_tree() {
  local deb=$1 tree=$2 archives mirror
  need debootstrap
  archives=$(sources)
  mirror=$(awk '$3 == "bookworm" {print $2; exit}' <<<"$archives")
  [ -n "$mirror" ] || die "scripts/image: apt of this machine knows no archive of Debian 12 (bookworm, main): add one to /etc/apt/sources.list.d, then apt-get update"
  logged "debootstrap of $mirror" debootstrap --variant=minbase ${cache:+--cache-dir="$cache"} \
    --include="$(IFS=,; echo "${image_packages[*]}")" bookworm "$tree" "$mirror"
  printf '%s\n' "$archives" >"$tree/etc/apt/sources.list"
  fill "$deb" "$tree"
  settle "$tree"
  clean "$tree"
}

# fill DEB TREE: what is newer in the other archives, the package with what it depends on, and what was asked for.
fill() {
  local deb=$1 tree=$2 options=(-y -q --no-install-recommends -o Dpkg::Options::=--force-unsafe-io)
  # For as long as this takes: no service is started, names and ways out are this machine's.
  printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d" && chmod 755 "$tree/usr/sbin/policy-rc.d"
  rm -f "$tree/etc/resolv.conf" && cp /etc/resolv.conf "$tree/etc/resolv.conf"
  apt-config dump --no-empty Acquire >"$tree/etc/apt/apt.conf.d/00building"
  mkdir "$tree/opt/deb" && cp --reflink=auto "$deb" "$tree/opt/deb/nexus.deb"
  [ -z "$cache" ] || find "$cache" -maxdepth 1 -name '*.deb' -exec cp -t "$tree/var/cache/apt/archives" {} +
  logged "apt-get update" within "$tree" apt-get update -q
  logged "apt-get upgrade" within "$tree" apt-get "${options[@]}" upgrade
  logged "installing the package" within "$tree" apt-get "${options[@]}" install /opt/deb/nexus.deb "${more[@]}"
  [ -z "$cache" ] || find "$tree/var/cache/apt/archives" -maxdepth 1 -name '*.deb' -exec cp -nt "$cache" {} +
  rm -r "$tree/opt/deb" "$tree/etc/apt/apt.conf.d/00building" "$tree/usr/sbin/policy-rc.d"
}

# settle TREE: a machine that comes up by itself, with a network by DHCP and a journal that lasts and is bounded.
settle() {
  local tree=$1
  echo "$hostname" >"$tree/etc/hostname"
  printf '127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost ip6-localhost ip6-loopback\n' "$hostname" >"$tree/etc/hosts"
  mkdir -p "$tree"/etc/systemd/{network,journald.conf.d}
  printf '[Match]\nType=ether\n\n[Network]\nDHCP=yes\n' >"$tree/etc/systemd/network/80-ethernet.network"
  printf '[Journal]\nStorage=persistent\nSystemMaxUse=500M\n' >"$tree/etc/systemd/journald.conf.d/nexus-image.conf"
  mkdir -p "$tree/var/log/journal"
  within "$tree" systemctl -q enable nexus systemd-networkd systemd-resolved systemd-timesyncd
  # Nothing here waits for a network, and without one it would hold the boot up for two minutes.
  within "$tree" systemctl -q disable systemd-networkd-wait-online
  ln -sf ../run/systemd/resolve/stub-resolv.conf "$tree/etc/resolv.conf"
}

# clean TREE: what each machine makes for itself, what can be fetched again, and what tells when this was made.
clean() {
  local tree=$1
  : >"$tree/etc/machine-id"
  (
    cd "$tree" || exit
    rm -rf var/lib/apt/lists/* var/cache/apt/*.bin var/cache/apt/archives/{*.deb,lock} var/cache/{debconf/*-old,ldconfig/aux-cache} var/lib/dpkg/*-old \
      var/lib/systemd/random-seed var/lib/dbus/machine-id etc/{passwd,shadow,group,gshadow}- tmp/* run/*
    rm -f etc/fstab
  )
  find "$tree/var/log" -type f -delete
  find "$tree" -xdev -newermt "@$SOURCE_DATE_EPOCH" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
}

# disk TREE FILE: sparse; its name and number are the same for the same tree.
disk() {
  local number
  # A container has no disk. A machine's is found by its name, and grows to the device that it was copied to.
  printf 'LABEL=nexus / ext4 errors=remount-ro,x-systemd.growfs 0 1\n' >"$1/etc/fstab"
  touch -d "@$SOURCE_DATE_EPOCH" "$1/etc" "$1/etc/fstab"
  number=$(printf '%s %s' "$hostname" "$SOURCE_DATE_EPOCH" | sha256sum | sed -E 's/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/\1-\2-\3-\4-\5/')
  truncate -s "$size" "$2" || die "scripts/image: --size $size: not a size that a file here can have"
  logged "mke2fs" env E2FSPROGS_FAKE_TIME="$SOURCE_DATE_EPOCH" mke2fs -q -t ext4 -L nexus -U "$number" -E "hash_seed=$number" -d "$1" "$2"
  rm "$1/etc/fstab"
  touch -d "@$SOURCE_DATE_EPOCH" "$1/etc"
}
