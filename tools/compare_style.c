/* SPDX-License-Identifier: Apache-2.0 */
/* compare_style.c: colours by name first, for light and for dark; then the page from top to bottom. On a narrow screen
 * a row's name stands above its bar. */
#include "compare_style.h"

/* clang-format off */
const char compare_style[] =
	":root{color-scheme:light dark;--page:#ffffff;--text:#1d2329;--faint:#5d6873;--line:#d9dee3;--track:#eef1f4;\n"
	"--dns:#8a96a3;--tcp:#2f74d0;--tls:#c97d00;--websocket:#9350cc;--mqtt:#23935a;--more:#c97d00;--curve:#2f74d0}\n"
	"@media(prefers-color-scheme:dark){:root{--page:#14181c;--text:#e4e8ec;--faint:#9aa6b2;--line:#343b43;--track:#20262c;\n"
	"--dns:#7d8996;--tcp:#6aa5f8;--tls:#eaa93a;--websocket:#be8cf5;--mqtt:#52c48a;--more:#eaa93a;--curve:#6aa5f8}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,sans-serif}\n"
	"main{max-width:60rem;margin:0 auto;padding:1.2rem 1rem 3rem}\n"
	"h1{font-size:1.6rem;margin:0}h2{font-size:1.2rem;margin:2.4rem 0 .6rem}h3{font-size:1rem;margin:1.4rem 0 .4rem}\n"
	".facts,.legend,small,caption{color:var(--faint)}.facts{margin:.2rem 0 0}\n"
	"p,li{overflow-wrap:anywhere;max-width:46rem}ul{padding-left:1.2rem;margin:.2rem 0 1rem}p{margin:.6rem 0 .2rem}\n"
	".legend{display:flex;flex-wrap:wrap;gap:.2rem 1rem;font-size:.85rem;margin:0 0 .8rem}\n"
	".legend i{display:inline-block;width:.8rem;height:.8rem;border-radius:2px;margin-right:.35rem;vertical-align:-1px}\n"
	".row{display:grid;grid-template-columns:11rem 1fr 6.5rem;gap:0 .8rem;align-items:center;padding:.25rem 0}\n"
	".name{overflow-wrap:anywhere}.none{color:var(--faint);grid-column:2/4}\n"
	".value{text-align:right;font-variant-numeric:tabular-nums;line-height:1.2}\n"
	".bar{display:flex;height:1.1rem;background:var(--track);border-radius:3px;overflow:hidden}\n"
	".bar.resumed{height:.45rem;margin-top:3px}.bar i{flex:none;min-width:1px}\n"
	".dns{background:var(--dns)}.tcp{background:var(--tcp)}.tls{background:var(--tls)}\n"
	".websocket{background:var(--websocket)}.mqtt{background:var(--mqtt)}.more{background:var(--more)}\n"
	".curve{position:relative;height:2.6rem;border-bottom:1px solid var(--line)}\n"
	".curve svg{position:absolute;inset:0;width:100%;height:100%}\n"
	".curve path{fill:var(--curve);fill-opacity:.3;stroke:var(--curve);stroke-width:1.5;vector-effect:non-scaling-stroke}\n"
	".p50,.p99{position:absolute;top:0;bottom:0;width:2px;margin-left:-1px;background:var(--text)}.p99{width:1px;opacity:.5}\n"
	".ticks{position:relative;height:1.4rem;font-size:.8rem;color:var(--faint)}\n"
	".ticks span{position:absolute;transform:translateX(-50%);white-space:nowrap}\n"
	".scroll{overflow-x:auto;margin-bottom:1.2rem}\n"
	"table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}caption{text-align:left}\n"
	"th,td{padding:.25rem .6rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}\n"
	"th:nth-child(-n+2),td:nth-child(-n+2){text-align:left}\n"
	"@media(max-width:40rem){.row{grid-template-columns:1fr 6rem}.name{grid-column:1/3}.none{grid-column:1/3}\n"
	".axis .name{display:none}}\n";
/* clang-format on */
