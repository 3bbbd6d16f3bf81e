"""Makes every fixture again; `make fixtures` runs this."""

import make_activations
import make_batch_norm
import make_images
import make_family
import make_import
import make_interchange
import make_keras
import make_losses
import make_normalization
import make_optimizers
import make_resnet
import make_schedules
import make_training

for module in [
    make_activations,
    make_images,
    make_losses,
    make_normalization,
    make_batch_norm,
    make_family,
    make_optimizers,
    make_schedules,
    make_keras,
    make_interchange,
    make_training,
    make_resnet,
    make_import,
]:
    module.main()
