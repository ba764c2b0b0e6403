# rc-sv: what the drop-in zz-rc-sv.conf loads when a service uses a module.
# POSIX sh plus local, as OpenRC's own scripts; dash, bash and busybox ash.

_rcsv_loader=/usr/local/bin/rc-sv-loader
_rcsv_newline='
'

rcsv_start()
{
	local _rcsv_was_inactive=false _rcsv_said _rcsv_rc

	_rcsv_warn_forking
	ebegin "Starting ${name:-$RC_SVCNAME}"
	if yesno "$start_inactive"; then
		service_inactive && _rcsv_was_inactive=true
		mark_service_inactive
	fi
	_rcsv_said=$({ _rcsv_run_start; } 2>&1)
	_rcsv_rc=$?
	if [ $_rcsv_rc -eq 0 ] && ! service_set_value rcsv_module "$rc_supervise_module"; then
		# Unrecorded it would be out of reach of stop.
		"$_rcsv_loader" stop "$RC_SVCNAME"
		_rcsv_said="cannot write $RC_SVCDIR/options/$RC_SVCNAME/rcsv_module: stopped again"
		_rcsv_rc=1
	fi
	_rcsv_eend $_rcsv_rc "Failed to start ${name:-$RC_SVCNAME}" "$_rcsv_said" && return 0
	if yesno "$start_inactive" && ! $_rcsv_was_inactive; then
		mark_service_stopped
	fi
	return 1
}

rcsv_stop()
{
	local _rcsv_said _rcsv_rc

	ebegin "Stopping ${name:-$RC_SVCNAME}"
	_rcsv_said=$("$_rcsv_loader" stop "$RC_SVCNAME" 2>&1)
	_rcsv_rc=$?
	_rcsv_eend $_rcsv_rc "Failed to stop ${name:-$RC_SVCNAME}" "$_rcsv_said"
}

rcsv_reload()
{
	local _rcsv_said _rcsv_rc

	if ! _rcsv_recorded; then
		eerror "$RC_SVCNAME: cannot reload: no module has started it"
		return 1
	fi
	ebegin "Reloading ${name:-$RC_SVCNAME}"
	_rcsv_said=$("$_rcsv_loader" signal "$RC_SVCNAME" HUP 2>&1)
	_rcsv_rc=$?
	_rcsv_eend $_rcsv_rc "Failed to reload ${name:-$RC_SVCNAME}" "$_rcsv_said"
}

# OpenRC's words and exit codes, and what the module adds. While OpenRC calls the
# service started, the module knows better; where it may not be asked, OpenRC's
# own records must do.
rcsv_status()
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
# has a last column that says it all: "restarting in 4 s (3 of 10)".
_rcsv_detail()
{
	local _rcsv_rest="$1" _rcsv_column _rcsv_text= _rcsv_state= _rcsv_number

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
}

# The service has a module, started well, and no module has it.
rcsv_left_alone()
{
	if [ -n "$command" ]; then
		ewarn "$RC_SVCNAME: has a start() of its own: module $rc_supervise_module cannot supervise it"
	elif [ "$rc_supervise_module" != "$_rcsv_global" ]; then
		ewarn "$RC_SVCNAME: has no command: there is nothing for module $rc_supervise_module to supervise"
	fi
}

# Called after the script was loaded, by an OpenRC that has no reload.
rcsv_offer_reload()
{
	[ "$(command -v reload)" = reload ] && return
	reload()
	{
		default_reload
	}
	extra_started_commands="$extra_started_commands reload"
}

# A module that owns its process needs it in the foreground. An empty
# command_args_foreground says that the service is, pidfile or not.
_rcsv_warn_forking()
{
	[ -z "$pidfile" ] || [ -n "${command_args_foreground+set}" ] ||
		yesno "$command_background" && return
	case "$supervisor" in
		supervise-daemon|s6|runit) return ;;
	esac
	ewarn "$RC_SVCNAME: has a pidfile but neither command_args_foreground nor command_background:"
	ewarn "if it goes into the background by itself, module $rc_supervise_module cannot supervise it"
}

# Runs in a subshell, so that the exported variables end with it.
_rcsv_run_start()
{
	_rcsv_export
	# Evaluated as supervise-daemon.sh does, for command_args="this \"is a\" test".
	eval '"$_rcsv_loader"' start '"$RC_SVCNAME"' -- \
		$command $command_args $command_args_foreground
}

# Exports each variable that is set as RCSV_variable, unchanged.
_rcsv_export()
{
	# The script may have an IFS of its own.
	local _rcsv_key _rcsv_keys IFS=" 	$_rcsv_newline"

	. "$_rcsv_libexec/rc-sv-keys.sh"
	# OpenRC up to 0.62 sets this for every service: nobody asked for it.
	[ "$s6_service_path" != "/var/svc.d/$RC_SVCNAME" ] || unset s6_service_path
	for _rcsv_key in $_rcsv_keys $(_rcsv_unknown); do
		eval "[ -z \"\${$_rcsv_key+set}\" ] || export RCSV_$_rcsv_key=\"\$$_rcsv_key\""
	done
	# These are evaluated by OpenRC, so the loader gets their words, each quoted.
	for _rcsv_key in start_stop_daemon_args supervise_daemon_args; do
		eval "[ -z \"\${$_rcsv_key+set}\" ] || eval _rcsv_quote $_rcsv_key \$$_rcsv_key"
	done
}

# Variables that look like settings of ours: the loader names those it does not
# know. A line within a multi-line value can look like one, but is not set.
_rcsv_unknown()
{
	local IFS="$_rcsv_newline" _rcsv_line

	set -f
	for _rcsv_line in $(set); do
		case "$_rcsv_line" in
			rc_supervise_*=*) _rcsv_line=${_rcsv_line%%=*} ;;
			*) continue ;;
		esac
		case "$_rcsv_line" in
			*[!A-Za-z0-9_]*) ;;
			*) printf '%s\n' "$_rcsv_line" ;;
		esac
	done
}

# Exports RCSV_$1 as the remaining arguments, each in single quotes.
_rcsv_quote()
{
	local _rcsv_to="RCSV_$1" _rcsv_words= _rcsv_word
	shift

	for _rcsv_word; do
		_rcsv_words="$_rcsv_words '"
		while :; do
			case "$_rcsv_word" in
				*\'*) ;;
				*) break ;;
			esac
			_rcsv_words="$_rcsv_words${_rcsv_word%%\'*}'\\''"
			_rcsv_word=${_rcsv_word#*\'}
		done
		_rcsv_words="$_rcsv_words$_rcsv_word'"
	done
	export "$_rcsv_to=${_rcsv_words# }"
}

# $1: exit code, $2: what to say where the loader had nothing to say, $3: what
# it said. The last line of an error goes to eend, as in stock services.
_rcsv_eend()
{
	if [ "$1" -eq 0 ]; then
		eend 0
		_rcsv_lines ewarn ewarn "$3"
		return 0
	fi
	_rcsv_lines eerror _rcsv_failed "${3:-$2}"
	return 1
}

_rcsv_failed()
{
	eend 1 "$1"
}

# Gives each line of $3 to command $1, and the last one to command $2.
_rcsv_lines()
{
	local _rcsv_rest="$3"

	while :; do
		case "$_rcsv_rest" in
			*"$_rcsv_newline"*)
				$1 "${_rcsv_rest%%"$_rcsv_newline"*}"
				_rcsv_rest=${_rcsv_rest#*"$_rcsv_newline"}
				;;
			*)
				[ -z "$_rcsv_rest" ] || $2 "$_rcsv_rest"
				return 0
				;;
		esac
	done
}
