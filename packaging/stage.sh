# Sourced by scripts/package and scripts/install, behind scripts/lib.sh: puts the files of packaging/files below a directory.

# made DIR: what the list calls {made}. The same programs and tree give the same bytes.
made() {
  local made=$1 shell page
  # Nobody's settings decide what the completions look like.
  # Sourced, not executed: the line for the kernel goes.
  for shell in bash zsh fish; do env -i PATH="$PATH" "$bin/nexusctl" completions $shell | sed '1{/^#!/d}' >"$made/nexusctl.$shell"; done
  for page in man/*; do gzip -9n <"$page" >"$made/$(basename "$page").gz"; done
  awk -f packaging/merge.awk packaging/Supervisor.appliance Supervisor.toml >"$made/Supervisor.toml"
}

# entries: the list without comments, three words a line.
entries() { sed '/^#/d; /^$/d' packaging/files; }

# stage DIR [SKIP]: everything, below DIR ("" is the machine itself); a destination that SKIP names is left alone where it is.
stage() {
  local below=$1 kept=${2:-} made kind source path file
  made=$(mktemp -d)
  made "$made"
  while read -r kind source path; do
    source=${source/#\{bin\}/$bin} source=${source/#\{made\}/$made}
    if [ "$path" = "$kept" ] && [ -e "$below$path" ]; then continue; fi
    case $kind:$source in
      link:*) mkdir -p "$below$(dirname "$path")" && ln -sfn "$source" "$below$path" ;;
      dir:*) install -d -m "$source" "$below$path" ;;
      *:*/) while read -r file; do install -D -m "$kind" "$source$file" "$below$path/$file"; done < <(cd "$source" && find . -type f ! -path '*/__pycache__/*' -printf '%P\n' | LC_ALL=C sort) ;;
      *) install -D -m "$kind" "$source" "$below$path" ;;
    esac
  done < <(entries)
  rm -rf "$made"
}
