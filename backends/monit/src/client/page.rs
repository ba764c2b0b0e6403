//! monit's page of a service, for what its status does not tell.

/// The start program on monit's page of a service (`print_service_rules_...` and
/// `do_service` of src/http/cervlet.c): a row of a table.
pub fn start_program(page: &str) -> Option<String> {
    let row = page.split("<td>Start program</td>").nth(1)?;
    let cell = row.split("<td>").nth(1)?.split("</td>").next()?;
    let text = cell.split('<').next()?;
    // How much of it is not shown to be a number of seconds.
    let command = text
        .rsplit_once(" timeout ")
        .map_or(text, |(command, _)| command);
    let plain = command
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    Some(plain.trim().trim_matches('\'').to_string())
}
