# Ends what its parent leaves behind. The parent writes lines to its standard input:
#   pid <number>   end this process when I am gone
#   gone <number>  it has ended by itself
#   dir <path>     remove this temporary folder when I am gone
#   removed <path> it has been removed
# The end of input means that the parent is gone, in whichever way it went.
pids=' '
dirs=''
newline='
'
while IFS=' ' read -r word value; do
  case $word in
    pid) pids="$pids$value " ;;
    gone) case $pids in *" $value "*) pids="${pids%%" $value "*} ${pids#*" $value "}" ;; esac ;;
    dir) dirs="$dirs$value$newline" ;;
    removed) case $dirs in *"$value$newline"*) dirs="${dirs%%"$value$newline"*}${dirs#*"$value$newline"}" ;; esac ;;
  esac
done
# Each leads a process group of its own: its children (git, compilers) go with it.
for pid in $pids; do kill -9 "-$pid" 2>/dev/null; done
[ "$dirs" = '' ] && exit 0
sleep 0.3 # a process that was just killed may still be writing its last file
printf '%s' "$dirs" | while IFS= read -r dir; do
  case $dir in */gitops-reverser-*) rm -rf -- "$dir" ;; esac
done
