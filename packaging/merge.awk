# Merges Supervisor.appliance (first file) into Supervisor.toml (second): the package's default configuration.
# Sections that the second has not are put before its reference of all keys. What finds no place is an error.
function key(line) { sub(/[ =].*/, "", line); return line }
function pour(section,  i) {
  for (i = 1; i <= count[section]; i++) if (!used[section, i]) { print lines[section, i]; used[section, i] = 1 }
}
function rest(  i) {
  for (i = 1; i <= sections; i++) if (!seen[names[i]]) { print names[i]; pour(names[i]); print ""; seen[names[i]] = 1 }
}
# A section may be a block from which its owner takes the comment signs.
FNR == NR && /^(# )?\[/ { section = $0; names[++sections] = section; next }
FNR == NR && section != "" && NF { lines[section, ++count[section]] = $0; next }
FNR == NR { next }
FNR == 1 {
  # Which keys of a section the second file has, so that the others come below the heading.
  while ((getline line < FILENAME) > 0) {
    if (line ~ /^(# )?\[/) inside = line
    else if (line ~ /^[a-z]/) has[inside, key(line)] = 1
  }
  close(FILENAME)
  print "# The configuration of the installed Nexus: `nexusctl check` looks at it, `nexusctl reload` puts it in force."
  section = ""
}
/^# ═/ && !closed { rest(); closed = 1 }
/^(# )?\[/ {
  print; section = $0; seen[section] = 1
  for (i = 1; i <= count[section]; i++) if (!((section, key(lines[section, i])) in has)) { print lines[section, i]; used[section, i] = 1 }
  next
}
/^[a-z]/ {
  for (i = 1; i <= count[section]; i++)
    if (key(lines[section, i]) == key($0)) { print lines[section, i]; used[section, i] = 1; next }
}
{ print }
END {
  for (i = 1; i <= sections; i++)
    for (n = 1; n <= count[names[i]]; n++)
      if (!used[names[i], n]) { print "merge.awk: no place for " names[i] " " lines[names[i], n] > "/dev/stderr"; exit 1 }
}
