# judge.awk VERDICTS SURVIVORS LIST: the table on standard error, and on standard
# output what is to be said of each survivor; with whole=1 of the explanations too.
# With wide=0 the products, which have a part for each width of vectors, do not count:
# a processor without the widest would leave that part alone.
BEGIN { FS = "\t" }
FNR == 1 { part++ }
part == 1 { split($0, v, " "); verdict[v[1]] = v[2]; learns += v[4] == "learns"; next }

# - what was there, + what is there now, of the chapter named above; = why nobody minds.
part == 2 && /^chapters\// { chapter = $0; next }
part == 2 && /^- / { old = substr($0, 3); next }
part == 2 && /^[+] / { key = chapter "\t" old "\t" substr($0, 3); if (key in why) print "explained twice: " key; why[key] = ""; open[key]; next }
part == 2 && /^= / { for (key in open) { why[key] = substr($0, 3); delete open[key] } next }
part == 2 { next }

{
  kind = $2; file = $3; place = $4; chapter = place; sub(/:.*/, "", chapter)
  key = chapter "\t" $5 "\t" $6; said = verdict[$1]
  if (said == "") { print place ": no verdict on mutant " $1; next }
  seen[key]
  count[said]++
  if (said == "broken" || said == "same") next
  if (!wide && file ~ /^(product.c|tile.h)$/) { count[said]--; alive[key]; next }
  all[file]++; all[kind]++; all[""]++; all[file, kind]++
  if (said == "killed") { killed[file]++; killed[kind]++; killed[""]++; killed[file, kind]++; next }
  alive[key]
  if (key in why && why[key] != "") { explained++; word = why[key]; sub(/:.*/, "", word); because[word]++ }
  else print place ": not seen: " $5 "  ==>  " $6
}
function cell(x) { return all[x] ? sprintf("%d/%d", killed[x], all[x]) : "-" }
function missed(x) { return all[x] - killed[x] }
END {
  for (key in open) print "not explained: " key
  for (key in why) {
    if (whole && !(key in seen)) print "explained, but nobody makes it any more: " key
    else if (whole && wide && !(key in alive)) print "explained, but it is seen: " key
  }
  n = split("nn.c loss.c optimizer.c init.c rng.c train.c watch.c check.c fast.c product.c tile.h", files, " ")
  k = split("arithmetic comparison index constant deleted", kinds, " ")
  share = all[""] ? int(1000 * killed[""] / all[""]) / 10 : 0
  out = "/dev/stderr"
  printf "%-12s", "" > out
  for (j = 1; j <= k; j++) printf "%11s", kinds[j] > out
  printf "\n" > out
  for (i = 1; i <= n; i++) {
    printf "%-12s", files[i] > out
    for (j = 1; j <= k; j++) printf "%11s", cell(files[i] SUBSEP kinds[j]) > out
    printf "\n" > out
  }
  printf "%-12s", "together" > out
  for (j = 1; j <= k; j++) printf "%11s", cell(kinds[j]) > out
  printf "\n\n" > out
  # ... and as values, in how many nobody notices: for product.c and tile.h together
  for (i = 1; i <= n; i++) {
    name = files[i]; sub(/[.].*/, "", name)
    if (name == "product") continue
    for (j = 1; j <= k; j++)
      printf "%s %s = %d  ", name, kinds[j], missed(files[i] SUBSEP kinds[j]) + (name == "tile" ? missed("product.c" SUBSEP kinds[j]) : 0) > out
    printf "%s missed = %d  ", name, missed(files[i]) + (name == "tile" ? missed("product.c") : 0) > out
    printf "%s counted = %d\n", name, all[files[i]] + (name == "tile" ? all["product.c"] : 0) > out
  }
  for (j = 1; j <= k; j++) printf "all %s = %d  %s counted = %d  ", kinds[j], missed(kinds[j]), kinds[j], all[kinds[j]] > out
  printf "\n" > out
  printf "mutants = %d  refused = %d  same = %d\n", count["broken"] + count["same"] + all[""], count["broken"], count["same"] > out
  printf "counted = %d  killed = %d  alive = %d  share = %s\n", all[""], killed[""], all[""] - killed[""], share > out
  printf "seen in the net = %d  ", killed["nn.c"] > out
  printf "equivalent = %d  weak = %d  elsewhere = %d  learned = %d\n", because["equivalent"], because["weak"], because["elsewhere"], learns > out
  if (whole && share < 95) print "fewer than 95 % are seen: " share
  else print "ok " killed[""] " of " all[""] " mistakes are seen; " explained + 0 " are not, and it is said why"
}
