# Sourced by scripts/image, behind scripts/lib.sh: the root of a container in which nexusd is process 1. The package's programs
# with the libraries that they need, as they lie on this machine, the users, a configuration; no shell and no other program. The
# directory `work` is scripts/image's.
# shellcheck shell=bash disable=SC2154

# Their numbers never change, since volumes keep them; units/sysusers.conf has the names.
users=(nexus:900 nexus-log:901 nexus-probe:902 nexus-worker:903 nexus-agent:904 nexus-chat:905 nexus-telegram:906 nexus-tunnel:907)

# accounts TREE: passwd and group, of root, nobody and those.
accounts() {
  local tree=$1 user name number home
  for name in $(sed -n 's/^[gu] *\([^ ]*\).*/\1/p' "$tree/usr/lib/sysusers.d/nexus.conf"); do
    [[ " ${users[*]}" = *" $name:"* ]] || die "packaging/container.sh: $name of units/sysusers.conf has no number for containers"
  done
  printf 'root:x:0:0:root:/root:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n' >"$tree/etc/passwd"
  printf 'root:x:0:\nnogroup:x:65534:\n' >"$tree/etc/group"
  for user in "${users[@]}"; do
    name=${user%:*} number=${user#*:} home=/
    [ "$name" != nexus-agent ] || home=/var/lib/nexus-agent
    printf '%s:x:%s:\n' "$name" "$number" >>"$tree/etc/group"
    [ "$name" = nexus ] || printf '%s:x:%s:%s::%s:/usr/sbin/nologin\n' "$name" "$number" "$number" "$home" >>"$tree/etc/passwd"
  done
}

# libraries TREE: what its programs are linked with, each with the leave to hand it on.
libraries() {
  local tree=$1 needed file owner
  needed=$(find "$tree/usr/lib/nexus" -maxdepth 1 -type f -exec ldd {} + 2>/dev/null || true)
  ! grep 'not found' <<<"$needed" >&2 || die "scripts/image: these libraries are not on this machine; apt install its package nexus' dependencies: $(dpkg-deb -f "$deb" Depends)"
  while read -r file; do
    install -D "$(realpath "$file")" "$tree/usr${file#/usr}"
    owner=$({ dpkg -S "$(realpath "$file")" "$file" "/usr${file#/usr}" 2>/dev/null || true; } | sed -n '1s/:.*//p')
    [ -z "$owner" ] || install -D -m 644 "/usr/share/doc/$owner/copyright" "$tree/usr/share/doc/$owner/copyright"
  done < <(sed -nE 's/^.*[[:space:]](\/[^ ]+) \(0x.*/\1/p' <<<"$needed" | sort -u)
}

# container_tree DEB TREE
container_tree() {
  local deb=$1 tree=$2 place
  mkdir -p "$tree"
  dpkg-deb -x "$deb" "$tree"
  # Of the package: programs, page, configuration, words about it.
  rm -rf "${tree:?}"/lib "$tree"/usr/share/{bash-completion,zsh,fish,lintian,man,nexus} "$tree"/usr/lib/{systemd,tmpfiles.d}
  mkdir -p "$tree"/{dev,etc/ssl/certs,proc,run,sys,usr/lib64,usr/share/nexus}
  for place in bin sbin lib lib64; do ln -s "usr/$place" "$tree/$place"; done
  install -d -m 700 "$tree/root"
  install -d -m 1777 "$tree"/tmp "$tree/var/tmp"
  libraries "$tree"
  accounts "$tree"
  rm -r "$tree/usr/lib/sysusers.d"
  printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$tree/etc/nsswitch.conf"
  printf '127.0.0.1 localhost\n::1 localhost\n' >"$tree/etc/hosts"
  printf 'ID=nexus\nNAME=Nexus\nVERSION_ID=%s\n' "$(dpkg-deb -f "$deb" Version)" >"$tree/etc/os-release"
  # Whom the agent, the tunnel and words to the owner are sent to has to be who he says.
  [ -e /etc/ssl/certs/ca-certificates.crt ] || die "scripts/image: the certificates of public authorities are missing here: apt install ca-certificates"
  install -m 644 /etc/ssl/certs/ca-certificates.crt "$tree/etc/ssl/certs/"
  # The first line is merge.awk's own, which puts it there again; it reads the second file twice.
  sed 1d "$tree/etc/nexus/Supervisor.toml" >"$work/package.toml"
  awk -f packaging/merge.awk packaging/Supervisor.container "$work/package.toml" >"$tree/etc/nexus/Supervisor.toml"
  install -d -m 711 "$tree/var/lib/nexus"
  install -d -m 700 -o 904 -g 904 "$tree/var/lib/nexus-agent"
}

# container_tar TREE FILE: the same tree, the same bytes.
container_tar() {
  find "$1" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
  tar -C "$1" --sort=name --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --clamp-mtime --format=gnu -cf "$2" .
}
