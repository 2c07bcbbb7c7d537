//! A piece of HTML that the server renders for an island.

use crate::islands::dom;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestInit, Response};

/// The piece, whatever its status; or why there is none.
pub async fn fetch(address: &str, options: &RequestInit) -> Result<String, &'static str> {
    const SILENT: &str = "Slipway doesn't answer. The typed text stays; type on to try again.";
    let request = dom::window().ok_or(SILENT)?.fetch_with_str_and_init(address, options);
    let response = JsFuture::from(request).await.map_err(|_| SILENT)?;
    let response: Response = response.dyn_into().map_err(|_| SILENT)?;
    if response.status() == 401 {
        return Err("You are signed out. Sign in again in another tab; the typed text stays.");
    }
    let text = JsFuture::from(response.text().map_err(|_| SILENT)?).await.map_err(|_| SILENT)?;
    // What isn't HTML comes from something in front of the pages.
    text.as_string().filter(|html| html.starts_with('<')).ok_or(SILENT)
}
