# rc-sv: how a service stands, in OpenRC's words and exit codes, and what its module
# adds. POSIX sh plus local; sourced by rc-sv.sh.

# While OpenRC calls the service started, the module knows better; where it may not
# be asked, OpenRC's own records must do.
_rcsv_status()
{
	local _rcsv_said _rcsv_rc _rcsv_intro=

	_rcsv_said=$("$_rcsv_loader" status "$RC_SVCNAME" 2>/dev/null)
	_rcsv_rc=$?
	if service_stopping; then
		ewarn "status: stopping"
		_rcsv_rc=4
	elif service_starting; then
		ewarn "status: starting"
		_rcsv_rc=8
	elif service_inactive; then
		ewarn "status: inactive"
		_rcsv_rc=16
	elif ! service_started; then
		einfo "status: stopped"
		# As after zap: the next start takes it back.
		case $_rcsv_rc in 0|4|8) _rcsv_intro="its module still has it: " ;; esac
		_rcsv_rc=3
	else
		_rcsv_status_started $_rcsv_rc
		_rcsv_rc=$?
	fi
	_rcsv_detail "$_rcsv_said" "$_rcsv_intro"
	return $_rcsv_rc
}

# $1: what the loader answered. To OpenRC a service in between is started.
_rcsv_status_started()
{
	case "$1" in
		0|3|4|8|32) ;;
		# Of what it only watches, and cannot see, OpenRC knows more.
		*) ! _rcsv_attached || { _rcsv_stock status; return; } ;;
	esac
	case "$1" in
		0|4|8)
			einfo "status: started"
			return 0
			;;
		3)
			einfo "status: stopped"
			return 3
			;;
		32) ;;
		64)
			eerror "status: unsupervised"
			return 64
			;;
		*)
			if ! service_crashed; then
				einfo "status: started"
				return 0
			elif ! _check_supervised; then
				eerror "status: unsupervised"
				return 64
			fi
			;;
	esac
	eerror "status: crashed"
	return 32
}

# From the loader's line, "foo  up  pid 42  for 3 min  1 restart  -", what OpenRC
# has not said, after $2: "pid 42, for 3 min, 1 restart". A service that is not up
# has a last column that says it all: "restarting in 4 s (3 of 10)". Further lines
# are its last output.
_rcsv_detail()
{
	local _rcsv_rest="${1%%"$_rcsv_newline"*}" _rcsv_more _rcsv_column _rcsv_text=
	local _rcsv_state= _rcsv_number

	_rcsv_more="${1#"$_rcsv_rest"}"

	for _rcsv_number in 1 2 3 4 5 6; do
		case "$_rcsv_number$_rcsv_rest" in
			[1-5]*"  "*)
				_rcsv_column=${_rcsv_rest%%  *}
				_rcsv_rest=${_rcsv_rest#*  }
				;;
			*)
				_rcsv_column=$_rcsv_rest
				_rcsv_rest=
				;;
		esac
		case "$_rcsv_number$_rcsv_column" in
			1*|[3-6]|[3-6]-|"6no module has started it") ;;
			2*) _rcsv_state=$_rcsv_column ;;
			6*)
				[ "$_rcsv_state" = up ] || _rcsv_text=
				_rcsv_text="$_rcsv_text, $_rcsv_column"
				;;
			*) _rcsv_text="$_rcsv_text, $_rcsv_column" ;;
		esac
	done
	[ -z "$_rcsv_text" ] || einfo "$2${_rcsv_text#, }"
	[ -z "$_rcsv_more" ] ||
		printf '%s\n' "${_rcsv_more#"$_rcsv_newline"}" | while IFS= read -r _rcsv_more; do
			einfo "${_rcsv_more#  }"
		done
}
