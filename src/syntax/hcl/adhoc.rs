use super::*;
fn ev(p: &[Part], out: &mut String) { for x in p { match x { Part::Lit(t, _) => out.push_str(t), Part::Interp(e) => exp(e, out),
  Part::If(c, a, b) => ev(if matches!(c.kind, ExprKind::Bool(true)) { a } else { b }, out), _ => out.push_str("??") } } }
fn exp(e: &Expr, out: &mut String) { match &e.kind { ExprKind::Str(s) => out.push_str(s), ExprKind::Template(p) => ev(p, out), k => out.push_str(&format!("??{k:?}")) } }
#[test]
fn oracle() {
    let t = std::fs::read_to_string("/tmp/tfx2/main.tf").unwrap();
    let res = std::fs::read_to_string("/tmp/tfx2/res").unwrap();
    let inner: String = serde_json::from_str(res.trim()).unwrap();
    let want: serde_json::Value = serde_json::from_str(&inner).unwrap();
    for (name, body) in [("edit", parse(&t).body), ("ts", fallback::body(Place { text: &t, base: 0 }).0)] {
        let mut bad = 0; let mut n = 0;
        for a in &body.blocks[0].body.attributes {
            let mut s = String::new(); exp(&a.value, &mut s); n += 1;
            if want[&*a.name].as_str() != Some(&s) { bad += 1; if bad < 6 { println!("ORA {name} {}\n  src {:?}\n  tf  {:?}\n  our {:?}", a.name, a.value.span.slice(&t), want[&*a.name], s); } }
        }
        println!("ORA {name} {n} checked {bad} differ, errors {:?}", parse(&t).errors);
    }
}
#[test]
fn recovery() {
    let list = std::fs::read_to_string("/tmp/hcl.list").unwrap();
    let faults: [(&str, fn(&str) -> String); 8] = [("= =", |l| format!("{l}\n  zz = = 1")), ("drop }", |l| l.to_owned()), ("@", |l| format!("{l}\n @")), ("quote", |l| format!("{l}\n  zz = \"")), ("open {", |l| format!("{l}\n  zz = {{")), ("open (", |l| format!("{l}\n  zz = (")), ("${", |l| format!("{l}\n  zz = \"${{")), ("]", |l| format!("{l}\n  ]"))];
    for (name, f) in faults {
        let (mut total, mut kept, mut noerr, mut files, mut badline, mut own) = (0, 0, 0, 0, 0, 0);
        for p in list.lines().filter(|p| p.ends_with(".tf")).step_by(3) {
            let Ok(t) = std::fs::read_to_string(p) else { continue };
            let file = parse(&t);
            if !file.errors.is_empty() || file.body.blocks.len() < 3 { continue }
            files += 1;
            let b = &file.body.blocks[file.body.blocks.len() / 2];
            let (s, e) = (b.span.start as usize, b.span.end as usize);
            let Some(nl) = t[s..e].find('\n').map(|x| s + x) else { continue };
            let broken = if name == "drop }" { format!("{}{}", &t[..e - 1], &t[e..]) } else { format!("{}{}{}", &t[..s], f(&t[s..nl]), &t[nl..]) };
            let g = parse(&broken);
            if g.errors.is_empty() { noerr += 1; println!("NOERR {name} {p}"); }
            let line = |o: u32| broken[..o as usize].matches('\n').count();
            if let Some(x) = g.errors.first() { let l = line(x.span.start); let (a, z) = (line(s as u32), line(s as u32) + t[s..e].matches('\n').count() + 3); if l < a || l > z { badline += 1 } }
            let mut have: Vec<String> = g.body.blocks.iter().map(|b| { let mut v = vec![]; v.push(b.header.slice(&broken).to_owned()); v.extend(b.body.attributes.iter().map(|a| a.name.to_string())); format!("{v:?}") }).collect();
            if g.body.blocks.iter().any(|x| x.header.slice(&broken) == b.header.slice(&t)) { own += 1 } else if name=="@" || name=="= =" { println!("OWN {name} {p} {} {:?} | {:?}", b.header.slice(&t), b.header, g.body.blocks.iter().map(|x|x.header.slice(&broken)).collect::<Vec<_>>()) }
            for x in &file.body.blocks { if x.span == b.span { continue } total += 1;
                let mut v = vec![x.header.slice(&t).to_owned()]; v.extend(x.body.attributes.iter().map(|a| a.name.to_string())); let k = format!("{v:?}");
                if let Some(i) = have.iter().position(|h| *h == k) { have.swap_remove(i); kept += 1 } else if kept < total - 1 && total - kept < 4 { println!("LOST {name} {p} {k}") } }
        }
        println!("REC {name}: {files} files, others kept {kept}/{total}, broken block kept {own}, no error {noerr}, error elsewhere {badline}");
    }
}
