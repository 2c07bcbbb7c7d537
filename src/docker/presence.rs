//! Whether an image lies on this engine.

use super::{Docker, DockerError};
use app::model::image_ref::ImageRef;

impl Docker {
    /// Whether this engine has the image, by its digest; its tag doesn't count.
    pub async fn has_image(&self, image: &ImageRef) -> Result<bool, DockerError> {
        let name = ImageRef { tag: None, ..image.clone() }.to_string();
        match self.ask(self.client.inspect_image(&name)).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }
}
