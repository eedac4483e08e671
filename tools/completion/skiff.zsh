# SPDX-License-Identifier: Apache-2.0
# Completion of skiff's command lines for zsh: `skiff completion zsh`. It is the file _skiff in a folder of $fpath, or is
# read by `source <(skiff completion zsh)`. What follows these functions is made from skiff's own table of options.

_skiff_profiles()
{
	[[ -n $program ]] || return
	local -a names
	names=(${(f)"$(${~program} completion --profiles 2>/dev/null)"})
	(( $#names )) && compadd -- @$^names
}

# The first word of a command that takes profiles: one of them, where no option has begun.
_skiff_first()
{
	[[ $CURRENT = 2 ]] && _skiff_profiles
}

# A link of another name completes like the command that it stands for, where it leads to skiff.
_skiff()
{
	local program=${(Q)words[1]} linked=$(_skiff_link ${service:t}) equals='='
	if [[ -n $linked ]]; then
		equals= program= # a link has its values behind a blank, and no profiles
		if [[ ${commands[$service]:A:t} = skiff ]]; then
			_skiff_in_$linked
		else
			_default
		fi
		return
	fi
	if (( CURRENT == 2 )); then
		_skiff_names
		return
	fi
	local name=$words[2]
	shift words
	(( CURRENT-- ))
	(( $+functions[_skiff_in_$name] )) && _skiff_in_$name
}

