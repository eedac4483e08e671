# SPDX-License-Identifier: Apache-2.0
# Completion of skiff's command lines for fish, 3.0 or newer: `skiff completion fish`. It stands in a folder of
# $fish_complete_path as skiff.fish, or is read by `skiff completion fish | source`. What follows these functions is made
# from skiff's own table of options.

# The command that the line has so far: "pub", "cert show".
function __skiff_command
	set -l words (commandline -opc)
	if contains -- "$words[2] $words[3]" (__skiff_seconds)
		echo "$words[2] $words[3]"
	else
		echo "$words[2]"
	end
end

function __skiff_is
	test (__skiff_command) = "$argv"
end

# Whether the cursor is on the first word behind a command, where a profile may stand.
function __skiff_first
	test (count (commandline -opc)) = 2
end

function __skiff_profiles
	set -l words (commandline -opc)
	string replace -r '^' @ -- ($words[1] completion --profiles 2>/dev/null)
end

# A link of another name completes like the command that it stands for, where it leads to skiff.
function __skiff_link
	set -l path (command -s $argv[1])
	and test (string replace -r '.*/' '' -- (realpath $path)) = skiff
	and complete -c $argv[1] -f -w "skiff $argv[2]"
end

complete -c skiff -f
