/* SPDX-License-Identifier: Apache-2.0 */
/* late_openssl.S: OpenSSL's functions for late.c. There are too many to write each with its parameters, so each is a jump
 * here: to where its place says, or, as long as that is 0, to late.c, which fills it. late.cmake lists them all; the
 * linker keeps those that the command calls. */
	.macro late name
	.section .text.\name, "ax", @progbits
	.globl \name
	.type \name, @function
\name:
	.cfi_startproc
	endbr64
	movq late_place_\name(%rip), %r11
	testq %r11, %r11
	jz 1f
	jmp *%r11
1:	leaq late_place_\name(%rip), %r10
	leaq late_name_\name(%rip), %r11
	jmp late_fill
	.cfi_endproc
	.size \name, . - \name
	.section .bss.late_place_\name, "aw", @nobits
	.balign 8
late_place_\name:
	.skip 8
	.section .rodata.late_name_\name, "a", @progbits
late_name_\name:
	.asciz "\name"
	.endm

/* With all that may hold an argument kept as it is. */
	.section .text.late_fill, "ax", @progbits
	.type late_fill, @function
late_fill:
	.cfi_startproc
	pushq %rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	movq %rsp, %rbp
	.cfi_def_cfa_register %rbp
	subq $192, %rsp
	movq %rax, (%rsp)
	movq %rdi, 8(%rsp)
	movq %rsi, 16(%rsp)
	movq %rdx, 24(%rsp)
	movq %rcx, 32(%rsp)
	movq %r8, 40(%rsp)
	movq %r9, 48(%rsp)
	movaps %xmm0, 64(%rsp)
	movaps %xmm1, 80(%rsp)
	movaps %xmm2, 96(%rsp)
	movaps %xmm3, 112(%rsp)
	movaps %xmm4, 128(%rsp)
	movaps %xmm5, 144(%rsp)
	movaps %xmm6, 160(%rsp)
	movaps %xmm7, 176(%rsp)
	movq %r11, %rdi
	movq %r10, %rsi
	call late_openssl_find
	movq %rax, %r11
	movq (%rsp), %rax
	movq 8(%rsp), %rdi
	movq 16(%rsp), %rsi
	movq 24(%rsp), %rdx
	movq 32(%rsp), %rcx
	movq 40(%rsp), %r8
	movq 48(%rsp), %r9
	movaps 64(%rsp), %xmm0
	movaps 80(%rsp), %xmm1
	movaps 96(%rsp), %xmm2
	movaps 112(%rsp), %xmm3
	movaps 128(%rsp), %xmm4
	movaps 144(%rsp), %xmm5
	movaps 160(%rsp), %xmm6
	movaps 176(%rsp), %xmm7
	leave
	.cfi_def_cfa %rsp, 8
	jmp *%r11
	.cfi_endproc
	.size late_fill, . - late_fill

#include "late_openssl.h"

	.section .note.GNU-stack, "", @progbits
